// The server's side of TLS: the gateway's certificate, good or bad, and a certificate for every name of the origins.
#pragma once

#include "chipgate/net/tls_session.hpp"
#include "sim/certificates.hpp"
#include "sim/faults.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

struct ssl_ctx_st;

namespace chipgate::sim {

// One thread. Each certificate has a context of its own, so that a session kept from a good one is never resumed
// under a bad one.
class TlsServer {
 public:
  explicit TlsServer(const CertificateAuthority& authority);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // The certificate is valid for localhost, 127.0.0.1 and gateway.sim, unless the fault says otherwise.
  net::TlsSession open_gateway(int fd, const std::optional<Fault>& fault);
  // With a certificate for the name that the client indicates, or for `host` where it indicates none.
  net::TlsSession open_origin(int fd, const std::string& host);

 private:
  struct FreeContext {
    void operator()(ssl_ctx_st*) const;
  };
  using ContextPtr = std::unique_ptr<ssl_ctx_st, FreeContext>;

  static int on_server_name(ssl_st* ssl, int* alert, void* self);
  ContextPtr make_context(const CertificatePtr& certificate) const;
  ssl_ctx_st* context_for(const std::string& host);
  static net::TlsSession accept(ssl_ctx_st* context, int fd);

  const CertificateAuthority& authority_;
  ContextPtr good_;
  ContextPtr expired_;
  ContextPtr wrong_name_;
  ContextPtr self_signed_;
  std::map<std::string, ContextPtr> origins_;
};

}  // namespace chipgate::sim
