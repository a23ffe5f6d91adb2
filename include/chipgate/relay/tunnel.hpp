// Tunnel: one client connection joined to one gateway connection.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/base/errors.hpp"
#include "chipgate/net/end.hpp"
#include "chipgate/net/timer_queue.hpp"
#include "chipgate/relay/flow.hpp"
#include "chipgate/relay/options.hpp"

#include <boost/intrusive/list_hook.hpp>
#include <optional>
#include <string>

namespace chipgate::relay {

class Relay;

// A tunnel's place in the run queue of its relay.
using RunQueueHook = boost::intrusive::list_base_hook<boost::intrusive::tag<struct RunQueueTag>,
                                                      boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

// No coroutine: tunnels live for days, and an idle one should cost little more than its two sockets. Owned by its Relay
// from `join` until `on_end`, after which it is deleted; touched by its shard's thread only.
class Tunnel : public net::Watcher, public net::Timer, public RunQueueHook {
 public:
  Tunnel(net::EndPtr client, net::EndPtr upstream);
  virtual ~Tunnel() = default;

  // Bytes that came behind the heads, to be delivered before anything else.
  void prepend(Direction direction, std::string bytes);

 protected:
  // Bytes were handed to the receiver's kernel.
  virtual void on_delivered(Direction direction, std::size_t bytes) = 0;
  // The last call: how the tunnel ended, and errno where that was an error. Both sockets are closed.
  virtual void on_end(ErrorKind how, int error) = 0;

  // When the last byte was delivered or the last end of a direction came; when it opened, before the first.
  TimePoint last_progress() const { return last_progress_; }

 private:
  friend class Relay;

  struct Failure {
    ErrorKind kind;
    int error;
  };

  void on_ready(net::End&) override;
  void on_timer() override;

  // Serves both directions; whether a budget ended it.
  enum class Served : std::uint8_t { waits, more, ended };
  struct Service {
    Served served;
    std::size_t delivered;
  };
  Service serve(std::span<char> scratch, std::size_t budget);
  FlowStep pump(Direction direction, std::span<char> scratch, std::size_t budget);
  void notice_lost_receiver(Direction direction);
  void lost_sender(Direction direction);
  void lost_receiver(Direction direction, int error);
  // The side that sends in this direction failed.
  void note_failure(Direction sent, int error);
  void note_progress(Direction direction, std::size_t delivered);

  std::size_t held() const { return up_.held() + down_.held(); }
  // In both directions. What is left is to wait until a side that is to be reset has acknowledged all of it.
  bool through() const { return up_.done() && down_.done(); }
  bool wait_for_acknowledgement();
  std::uint64_t unacknowledged() const;
  // Also where both have ended, and one of them does not take the last of it.
  bool half_closed() const { return up_.sender_ended() || down_.sender_ended(); }
  std::optional<ErrorKind> overdue(const RelayOptions&, TimePoint now) const;
  std::optional<TimePoint> next_deadline(const RelayOptions&) const;
  ErrorKind how_it_ended() const;
  void close_sockets();
  void reset_sockets();

  Relay* relay_ = nullptr;
  net::EndPtr client_;
  net::EndPtr upstream_;
  Flow up_;
  Flow down_;
  TimePoint last_progress_;
  TimePoint client_spoke_{};  // zero until it has
  Failure failure_{ErrorKind::client_closed, 0};
  std::uint64_t unacknowledged_ = 0;  // while it lingers: when it was last looked
  TimePoint failed_at_{};
  bool failed_ = false;
  bool answered_ = false;  // a byte came back
  bool client_ended_first_ = false;
};

}  // namespace chipgate::relay
