// Reading and writing an end, and what each result says about its readiness.
#include "chipgate/net/end.hpp"

#include "chipgate/net/ready_set.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace chipgate::net {
namespace {

IoOutcome outcome_of(ssize_t returned) {
  if (returned > 0) return {IoStatus::moved, static_cast<std::size_t>(returned)};
  if (returned == 0) return {IoStatus::eof};
  if (errno == EAGAIN || errno == EINTR) return {IoStatus::would_block};
  return {IoStatus::failed, 0, errno};
}

}  // namespace

IoOutcome End::read(std::span<char> into) {
  if (tls_) {
    const auto outcome = tls_.read(into.data(), into.size());
    // Under TLS a short read says nothing about the socket: a record may wait in OpenSSL's buffer.
    if (outcome.status == IoStatus::would_block) readable_ = false;
    return outcome;
  }
  const auto outcome = outcome_of(::recv(fd_, into.data(), into.size(), 0));
  if (outcome.status == IoStatus::would_block) readable_ = false;
  const bool empty = outcome.bytes < into.size() && !hung_up_ && !urgent_;
  if (outcome.status == IoStatus::moved && empty) readable_ = false;
  return outcome;
}

bool End::drained() const {
  char next = 0;
  return hung_up_ && ::recv(fd_, &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

IoOutcome End::write(std::string_view bytes) {
  if (tls_) return write_records(bytes);
  const auto outcome = outcome_of(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  if (outcome.status == IoStatus::would_block) writable_ = false;
  if (outcome.status == IoStatus::moved && outcome.bytes < bytes.size()) writable_ = false;
  return outcome;
}

// OpenSSL takes one record at a time. A failure behind a record that went through is told by the next write.
IoOutcome End::write_records(std::string_view bytes) {
  std::size_t written = 0;
  for (;;) {
    const auto outcome = tls_.write(bytes.data() + written, bytes.size() - written);
    if (outcome.status == IoStatus::would_block) writable_ = false;
    if (outcome.status == IoStatus::moved) written += outcome.bytes;
    if (outcome.status == IoStatus::moved && written < bytes.size()) continue;
    return written > 0 ? IoOutcome{IoStatus::moved, written} : outcome;
  }
}

IoOutcome End::shut_write() {
  if (tls_) {
    const auto outcome = tls_.shut_write();
    if (outcome.status == IoStatus::would_block) writable_ = false;
    return outcome;
  }
  return ::shutdown(fd_, SHUT_WR) == 0 ? IoOutcome{IoStatus::moved} : IoOutcome{IoStatus::failed, 0, errno};
}

TlsSession::Step End::handshake() {
  const auto step = tls_.handshake();
  // Reading ahead may have taken the first records from the socket already; no edge will come for those.
  if (step == TlsSession::Step::done) readable_ = true;
  if (step == TlsSession::Step::want_read) readable_ = false;
  if (step == TlsSession::Step::want_write) writable_ = false;
  return step;
}

int End::take_error() const {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

void Retire::operator()(End* end) const { end->set_.retire(end); }

void reset(EndPtr end) {
  const linger abort{1, 0};
  ::setsockopt(end->fd(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
}

}  // namespace chipgate::net
