// OpenSSL on a non-blocking descriptor.
#include "chipgate/net/tls_session.hpp"

#include "chipgate/net/end.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace chipgate::net {
namespace {

int clamp(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, INT_MAX)); }

IoOutcome outcome_of(ssl_st* ssl, int returned) {
  const int saved = errno;
  switch (SSL_get_error(ssl, returned)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return {IoStatus::would_block};
    case SSL_ERROR_ZERO_RETURN: return {IoStatus::eof};
    case SSL_ERROR_SYSCALL: return {IoStatus::failed, 0, saved != 0 ? saved : ECONNRESET};
    default: return {IoStatus::failed, 0, EPROTO};
  }
}

}  // namespace

// A connection that ends without close_notify, as every reset does, would take the right to resume its session along.
void TlsSession::Free::operator()(ssl_st* ssl) const {
  SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_SENT_SHUTDOWN);
  SSL_free(ssl);
}

TlsSession::Step TlsSession::handshake() {
  ERR_clear_error();
  const int returned = SSL_do_handshake(ssl_.get());
  if (returned == 1) return Step::done;
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ: return Step::want_read;
    case SSL_ERROR_WANT_WRITE: return Step::want_write;
    default: return Step::failed;
  }
}

IoOutcome TlsSession::read(char* into, std::size_t size) {
  ERR_clear_error();
  errno = 0;
  const int returned = SSL_read(ssl_.get(), into, clamp(size));
  if (returned > 0) return {IoStatus::moved, static_cast<std::size_t>(returned)};
  return outcome_of(ssl_.get(), returned);
}

IoOutcome TlsSession::write(const char* from, std::size_t size) {
  ERR_clear_error();
  errno = 0;
  const int returned = SSL_write(ssl_.get(), from, clamp(size));
  if (returned > 0) return {IoStatus::moved, static_cast<std::size_t>(returned)};
  return outcome_of(ssl_.get(), returned);
}

// close_notify is the half-close of TLS; the other direction stays open, so the TCP side is not shut.
IoOutcome TlsSession::shut_write() {
  ERR_clear_error();
  errno = 0;
  const int returned = SSL_shutdown(ssl_.get());
  if (returned >= 0) return {IoStatus::moved};
  return outcome_of(ssl_.get(), returned);
}

}  // namespace chipgate::net
