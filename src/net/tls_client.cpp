// TLS towards gateways.
#include "chipgate/net/tls_client.hpp"

#include "chipgate/base/address.hpp"

#include <array>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdexcept>

namespace chipgate::net {
namespace {

std::string openssl_text() {
  const auto code = ERR_peek_last_error();
  if (code == 0) return "the peer closed";
  std::array<char, 256> buffer{};
  ERR_error_string_n(code, buffer.data(), buffer.size());
  return buffer.data();
}

// Without a name to check every trusted certificate would do, so that a failure here must end the attempt.
bool expect_name(ssl_st* ssl, const std::string& name) {
  if (name.empty() || name.find('\0') != std::string::npos) return false;
  if (IpAddress::parse(name)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set_tlsext_host_name(ssl, name.c_str()) == 1 && SSL_set1_host(ssl, name.c_str()) == 1;
}

}  // namespace

void TlsClient::FreeContext::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void TlsClient::FreeSession::operator()(ssl_session_st* session) const { SSL_SESSION_free(session); }

TlsClient::TlsClient(const std::string& ca_file) : context_(SSL_CTX_new(TLS_client_method())) {
  auto* context = context_.get();
  if (context == nullptr) throw std::runtime_error("OpenSSL gives no context: " + openssl_text());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  // Moving: what a blocked write left over is retried from another buffer. Partial: a record at a time is progress.
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // Gateways that end a tunnel with a bare FIN are common; what is inside the tunnel has an end of its own.
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_sess_set_new_cb(context, keep_session);
  const bool loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                      : SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) == 1;
  if (!loaded) throw std::runtime_error("cannot load the CA certificates of " + ca_file + ": " + openssl_text());
}

// The SSLs of this context are all freed before: they belong to tunnels and handshakes of the same shard.
TlsClient::~TlsClient() = default;

TlsSession TlsClient::open(int fd, const std::string& server_name, const std::string& cache_key) {
  TlsSession session(SSL_new(context_.get()));
  auto* ssl = session.get();
  if (ssl == nullptr || SSL_set_fd(ssl, fd) != 1) return TlsSession();
  SSL_set_connect_state(ssl);
  if (!expect_name(ssl, server_name)) return TlsSession();
  auto& kept = sessions_[cache_key];
  // The map's nodes stay where they are, so its key is what the callback knows its session by.
  SSL_set_app_data(ssl, const_cast<std::string*>(&sessions_.find(cache_key)->first));
  if (kept) SSL_set_session(ssl, kept.get());
  return session;
}

// Under TLS 1.3 tickets come with the first bytes after the handshake, so this runs within some later read.
int TlsClient::keep_session(ssl_st* ssl, ssl_session_st* session) {
  auto& self = *static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  self.sessions_[*static_cast<const std::string*>(SSL_get_app_data(ssl))].reset(session);
  return 1;  // the reference is ours now
}

TlsClient::Failure TlsClient::failure_of(const TlsSession& session) {
  const auto verdict = SSL_get_verify_result(session.get());
  if (verdict != X509_V_OK) return {true, X509_verify_cert_error_string(verdict)};
  return {false, openssl_text()};
}

}  // namespace chipgate::net
