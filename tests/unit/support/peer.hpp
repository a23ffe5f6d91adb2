// Peer: the other side of a connection, which reads and writes only as much and as fast as a test lets it.
#pragma once

#include "chipgate/net/tls_session.hpp"
#include "chipgate/net/unique_fd.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <openssl/ssl.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace chipgate::test {

enum class Reading : unsigned char { on, paused };

// Lives on the test's thread: its owner pumps it between two steps of the shard. Plain, or a TLS server.
class Peer {
 public:
  Peer() = default;
  explicit Peer(net::UniqueFd socket, Reading reading = Reading::on) : socket_(std::move(socket)), reading_(reading) {}

  // A TLS server from here on: what is sent waits for the handshake.
  void serve_tls(net::TlsSession session) {
    tls_ = std::move(session);
    shaken_ = false;
  }

  // Frees the server's state and keeps the connection, for whoever measures the other side.
  void forget_tls() { tls_ = {}; }

  Peer& send(std::string_view bytes) {
    unsent_.append(bytes);
    pump();
    return *this;
  }
  // A FIN, or close_notify under TLS, behind all that was sent.
  void finish() {
    finishing_ = true;
    pump();
  }
  void send_urgent(char byte) { ::send(fd(), &byte, 1, MSG_OOB | MSG_NOSIGNAL); }
  // An RST; what is unsent, and what is unread on this side, is lost.
  void reset() {
    const linger abort{1, 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    close();
  }
  void close() {
    tls_ = {};
    socket_ = {};
  }
  void pause_reading() { reading_ = Reading::paused; }
  void resume_reading() { reading_ = Reading::on; }

  // What can be done now, without blocking.
  void pump() {
    if (!socket_) return;
    if (tls_ && !shaken_ && !shake()) return;
    write();
    if (reading_ == Reading::on) read();
  }
  // At most so much, whether reading is paused or not; how much it was.
  std::size_t read_at_most(std::size_t most) {
    const auto before = received_.size();
    std::array<char, 16 * 1024> room;
    while (received_.size() - before < most && !ended()) {
      const auto want = std::min(room.size(), most - (received_.size() - before));
      const auto got = receive(room.data(), want);
      if (got <= 0) break;
      received_.append(room.data(), static_cast<std::size_t>(got));
    }
    return received_.size() - before;
  }

  int fd() const { return socket_.get(); }
  ssl_st* tls() const { return tls_.get(); }
  bool shaken() const { return shaken_; }
  const std::string& received() const { return received_; }
  std::string take_received() { return std::exchange(received_, {}); }
  std::size_t unsent() const { return unsent_.size() - sent_; }
  // The stream is over for reading: cleanly, or by an error.
  bool ended() const { return eof_ || error_ != 0; }
  bool eof() const { return eof_; }
  int error() const { return error_; }

 private:
  bool shake() {
    const int returned = SSL_do_handshake(tls_.get());
    if (returned == 1) {
      shaken_ = true;
    } else if (!wants_more(returned)) {
      error_ = EPROTO;
    }
    return shaken_;
  }

  bool wants_more(int returned) const {
    const int why = SSL_get_error(tls_.get(), returned);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
  }

  void write() {
    while (unsent() > 0) {
      const auto rest = std::string_view(unsent_).substr(sent_);
      const auto put = tls_ ? SSL_write(tls_.get(), rest.data(), static_cast<int>(rest.size()))
                            : ::send(fd(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (put <= 0) return;
      sent_ += static_cast<std::size_t>(put);
    }
    unsent_.clear();
    sent_ = 0;
    if (finishing_) {
      if (tls_) {
        SSL_shutdown(tls_.get());
      } else {
        ::shutdown(fd(), SHUT_WR);
      }
      finishing_ = false;
    }
  }

  void read() { read_at_most(256 * 1024); }

  ssize_t receive(char* into, std::size_t size) {
    if (tls_) {
      const int got = SSL_read(tls_.get(), into, static_cast<int>(size));
      if (got > 0 || wants_more(got)) return got;
      if (SSL_get_error(tls_.get(), got) == SSL_ERROR_ZERO_RETURN) {
        eof_ = true;
      } else {
        error_ = errno != 0 ? errno : EPROTO;
      }
      return -1;
    }
    const auto got = ::recv(fd(), into, size, MSG_DONTWAIT);
    if (got == 0) eof_ = true;
    if (got < 0 && errno != EAGAIN) error_ = errno;
    return got;
  }

  net::UniqueFd socket_;
  net::TlsSession tls_;
  std::string unsent_;
  std::size_t sent_ = 0;
  std::string received_;
  Reading reading_ = Reading::on;
  int error_ = 0;
  bool eof_ = false;
  bool finishing_ = false;
  bool shaken_ = true;
};

// Bytes whose place in the stream can be told, so that what is lost, doubled or moved is seen.
inline std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 2654435761U) >> 13);
  return bytes;
}

// EXPECT_EQ would print megabytes.
inline bool same(const std::string& got, const std::string& wanted) { return got == wanted; }

}  // namespace chipgate::test
