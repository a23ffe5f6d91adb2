// Contexts with certificates, chosen by fault and by name.
#include "sim/tls_server.hpp"

#include "chipgate/protocol/authority.hpp"

#include <openssl/ssl.h>
#include <stdexcept>

namespace chipgate::sim {
namespace {

const std::vector<std::string> gateway_names{"localhost", "127.0.0.1", "gateway.sim"};

}  // namespace

void TlsServer::FreeContext::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

TlsServer::TlsServer(const CertificateAuthority& authority)
    : authority_(authority),
      good_(make_context(authority.mint(gateway_names, Validity::good, Signer::authority))),
      expired_(make_context(authority.mint(gateway_names, Validity::expired, Signer::authority))),
      wrong_name_(make_context(authority.mint({"elsewhere.sim"}, Validity::good, Signer::authority))),
      self_signed_(make_context(authority.mint(gateway_names, Validity::good, Signer::itself))) {}

TlsServer::~TlsServer() = default;

net::TlsSession TlsServer::open_gateway(int fd, const std::optional<Fault>& fault) {
  if (!fault) return accept(good_.get(), fd);
  switch (fault->kind) {
    case FaultKind::expired: return accept(expired_.get(), fd);
    case FaultKind::wrong_name: return accept(wrong_name_.get(), fd);
    case FaultKind::self_signed: return accept(self_signed_.get(), fd);
    default: return accept(good_.get(), fd);
  }
}

net::TlsSession TlsServer::open_origin(int fd, const std::string& host) { return accept(context_for(host), fd); }

TlsServer::ContextPtr TlsServer::make_context(const CertificatePtr& certificate) const {
  ContextPtr made(SSL_CTX_new(TLS_server_method()));
  auto* context = made.get();
  if (context == nullptr || SSL_CTX_use_certificate(context, certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, authority_.leaf_key()) != 1) {
    throw std::runtime_error("OpenSSL gives no server context");
  }
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_read_ahead(context, 1);
  return made;
}

ssl_ctx_st* TlsServer::context_for(const std::string& host) {
  auto& context = origins_[host];
  if (!context) {
    context = make_context(authority_.mint({host}, Validity::good, Signer::authority));
    SSL_CTX_set_tlsext_servername_callback(context.get(), on_server_name);
    SSL_CTX_set_tlsext_servername_arg(context.get(), this);
  }
  return context.get();
}

// Through a mapped or literal target the client may want another name than the gateway was asked for.
int TlsServer::on_server_name(ssl_st* ssl, int*, void* self) {
  const char* wanted = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (wanted == nullptr) return SSL_TLSEXT_ERR_OK;
  const auto name = protocol::make_authority(wanted, 443);
  if (!name) return SSL_TLSEXT_ERR_ALERT_FATAL;
  SSL_set_SSL_CTX(ssl, static_cast<TlsServer*>(self)->context_for(name->host));
  return SSL_TLSEXT_ERR_OK;
}

net::TlsSession TlsServer::accept(ssl_ctx_st* context, int fd) {
  net::TlsSession session(SSL_new(context));
  if (!session || SSL_set_fd(session.get(), fd) != 1) return {};
  SSL_set_accept_state(session.get());
  return session;
}

}  // namespace chipgate::sim
