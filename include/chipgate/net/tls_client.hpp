// TlsClient: a shard's side of TLS towards gateways: one context, verified peers, resumed sessions.
#pragma once

#include "chipgate/net/tls_session.hpp"

#include <map>
#include <memory>
#include <string>

struct ssl_ctx_st;
struct ssl_session_st;

namespace chipgate::net {

// One a shard: an SSL_CTX's cache and counters are locked when shared. One thread.
class TlsClient {
 public:
  // `ca_file`: PEM, empty for the system's store. Throws std::runtime_error where it cannot be read.
  explicit TlsClient(const std::string& ca_file);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // On a connected descriptor, ready to shake hands. The certificate must name `server_name` (a host name or an IP
  // address; RFC 9110 section 4.3.4). Empty where that cannot be checked. `cache_key` says whose session to resume, and
  // under which to keep the next.
  TlsSession open(int fd, const std::string& server_name, const std::string& cache_key);

  // Why the last handshake of this session failed, for a log line; whether it was the certificate.
  struct Failure {
    bool certificate;
    std::string text;
  };
  static Failure failure_of(const TlsSession&);

 private:
  static int keep_session(ssl_st*, ssl_session_st*);

  struct FreeContext {
    void operator()(ssl_ctx_st*) const;
  };
  struct FreeSession {
    void operator()(ssl_session_st*) const;
  };

  std::unique_ptr<ssl_ctx_st, FreeContext> context_;
  std::map<std::string, std::unique_ptr<ssl_session_st, FreeSession>> sessions_;
};

}  // namespace chipgate::net
