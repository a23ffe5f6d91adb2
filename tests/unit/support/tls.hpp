// TlsGateway: the server's side of TLS, with a certificate of the test's choosing.
#pragma once

#include "chipgate/net/tls_session.hpp"
#include "sim/certificates.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <openssl/ssl.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace chipgate::test {

// One authority, whose certificate is in a file while this lives.
class TlsAuthority {
 public:
  TlsAuthority() : path_(std::filesystem::temp_directory_path() / "chipgate-ca-XXXXXX") {
    const int fd = ::mkstemp(path_.data());
    if (fd < 0) throw std::runtime_error("no temporary file");
    ::close(fd);
    std::ofstream(path_) << authority_.pem();
  }
  ~TlsAuthority() { std::filesystem::remove(path_); }
  TlsAuthority(const TlsAuthority&) = delete;
  TlsAuthority& operator=(const TlsAuthority&) = delete;

  const std::string& file() const { return path_; }
  const sim::CertificateAuthority& authority() const { return authority_; }

 private:
  sim::CertificateAuthority authority_;
  std::string path_;
};

class TlsGateway {
 public:
  explicit TlsGateway(const TlsAuthority& authority, const std::vector<std::string>& names = {"gateway.test"},
                      sim::Validity validity = sim::Validity::good, sim::Signer signer = sim::Signer::authority)
      : context_(SSL_CTX_new(TLS_server_method())) {
    const auto certificate = authority.authority().mint(names, validity, signer);
    if (SSL_CTX_use_certificate(context_, certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context_, authority.authority().leaf_key()) != 1) {
      throw std::runtime_error("no server context");
    }
    SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }
  ~TlsGateway() { SSL_CTX_free(context_); }
  TlsGateway(const TlsGateway&) = delete;
  TlsGateway& operator=(const TlsGateway&) = delete;

  net::TlsSession accept(int fd) const {
    net::TlsSession session(SSL_new(context_));
    SSL_set_fd(session.get(), fd);
    SSL_set_accept_state(session.get());
    return session;
  }

 private:
  ssl_ctx_st* context_;
};

}  // namespace chipgate::test
