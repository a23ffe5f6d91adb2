// End: one socket in a shard's set, with what is known of its readiness, plain or under TLS.
#pragma once

#include "chipgate/net/tls_session.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace chipgate::net {

class End;
class ReadySet;

// Who is told when an end becomes ready. The end's flags already say what is new.
class Watcher {
 public:
  virtual void on_ready(End&) = 0;

 protected:
  ~Watcher() = default;
};

enum class IoStatus : std::uint8_t { moved, would_block, eof, failed };

struct IoOutcome {
  IoStatus status;
  std::size_t bytes = 0;  // with `moved`
  int error = 0;          // with `failed`: errno, or EPROTO for what TLS refuses
};

struct Retire {
  void operator()(End*) const;
};
// Closing is plain `close`: a FIN where nothing unread is left. See `reset` for the other way.
using EndPtr = std::unique_ptr<End, Retire>;

// Added to its set once, edge-triggered, for its whole life (each add takes a lock that all sets of the process share).
// It remembers readiness between edges. Owned by one coroutine or tunnel of its shard, and touched by that thread only.
// Its memory is freed at the end of the set's batch, since an event for it may still stand in the batch.
class End {
 public:
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  int fd() const { return fd_; }
  bool readable() const { return readable_; }
  bool writable() const { return writable_; }
  // The peer has ended its direction, or the whole connection.
  bool hung_up() const { return hung_up_; }
  // It has, and nothing that it sent before is left to read. Plain ends only.
  bool drained() const;
  // The connection is gone in both directions: a reset, or both sides closed.
  bool broken() const { return broken_; }

  void watch(Watcher* watcher) { watcher_ = watcher; }

  // Only EAGAIN, or a short read on an end that is not hung up, clears `readable`. A short read before a FIN says
  // nothing: taking it for "empty" loses the end of the stream, whose edge has already been delivered. Nor does one
  // before an urgent byte, where the kernel ends every read although more waits behind.
  IoOutcome read(std::span<char> into);
  IoOutcome write(std::string_view bytes);
  // FIN, or close_notify under TLS, which may block.
  IoOutcome shut_write();

  // From here on reads and writes go through TLS, once the handshake is done.
  void wrap(TlsSession session) { tls_ = std::move(session); }
  TlsSession::Step handshake();
  const TlsSession& tls() const { return tls_; }
  bool is_tls() const { return static_cast<bool>(tls_); }

  // errno of the socket (SO_ERROR), clearing it: how a connect ended.
  int take_error() const;

 private:
  friend class ReadySet;
  friend struct Retire;
  End(ReadySet& set, int fd) : set_(set), fd_(fd) {}
  IoOutcome write_records(std::string_view bytes);
  ~End() = default;

  ReadySet& set_;
  Watcher* watcher_ = nullptr;
  TlsSession tls_;
  int fd_;
  bool readable_ = false;
  bool writable_ = false;
  bool hung_up_ = false;
  bool broken_ = false;
  bool urgent_ = false;  // the peer has sent an urgent byte, and may send another
};

// The one reset: the peer gets an RST, and what is unsent is dropped. SO_LINGER 0 and then `close` on the descriptor
// itself; any shutdown in between would turn it into a FIN.
void reset(EndPtr end);

}  // namespace chipgate::net
