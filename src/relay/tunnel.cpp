// A tunnel's two directions, its deadlines, and how it ends.
#include "chipgate/relay/tunnel.hpp"

#include "chipgate/net/socket.hpp"
#include "chipgate/relay/relay.hpp"

#include <algorithm>
#include <cerrno>

namespace chipgate::relay {
namespace {

// A keepalive or user timeout of the kernel, or a router's word, rather than the peer's own reset.
bool means_vanished(int error) { return error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH; }

// After an error of one side the other is told by a reset, unless bytes are still on their way to it: a reset would
// drop them, so it gets them and then a FIN.
void pass_on_failure(net::EndPtr end) {
  if (net::unacknowledged(end->fd()) == 0) net::reset(std::move(end));
}

}  // namespace

Tunnel::Tunnel(net::EndPtr client, net::EndPtr upstream)
    : client_(std::move(client)), upstream_(std::move(upstream)), last_progress_(Clock::now()) {}

void Tunnel::prepend(Direction direction, std::string bytes) {
  if (bytes.empty()) return;
  if (direction == Direction::up) {
    client_spoke_ = Clock::now();
    up_.prepend(std::move(bytes));
  } else {
    answered_ = true;
    down_.prepend(std::move(bytes));
  }
}

void Tunnel::on_ready(net::End&) { relay_->woken(*this); }

void Tunnel::on_timer() { relay_->timed(*this); }

FlowStep Tunnel::pump(Direction direction, std::span<char> scratch, std::size_t budget) {
  const bool up = direction == Direction::up;
  auto& flow = up ? up_ : down_;
  if (flow.done()) return {FlowState::done};
  auto& from = up ? *client_ : *upstream_;
  auto& to = up ? *upstream_ : *client_;
  const bool had_ended = flow.sender_ended();
  const auto step = flow.step(from, to, scratch, budget);
  if (step.delivered > 0) note_progress(direction, step.delivered);
  if (step.state == FlowState::failed) note_failure(direction, step);
  if (!had_ended && flow.sender_ended()) {
    const auto& other = up ? down_ : up_;
    if (!other.sender_ended()) client_ended_first_ = up;
    last_progress_ = Clock::now();
  }
  return step;
}

void Tunnel::note_progress(Direction direction, std::size_t delivered) {
  last_progress_ = Clock::now();
  if (direction == Direction::down) answered_ = true;
  if (direction == Direction::up && client_spoke_ == TimePoint{}) client_spoke_ = last_progress_;
  on_delivered(direction, delivered);
}

// A sender's error ends the tunnel. A receiver's error ends only its direction: what it had sent before it went (an
// early answer, say) still waits to be read in the other one.
void Tunnel::note_failure(Direction direction, const FlowStep& step) {
  if (!failed_) failure_ = failure_of(direction, step);
  failed_ = true;
  (direction == Direction::up ? up_ : down_).abandon();
  if (step.failed_side == Side::from) (direction == Direction::up ? down_ : up_).abandon();
}

// A side that had said its goodbye may go without hearing ours: curl closes with TLS's last words unread, which the
// kernel turns into a reset. That is a close.
Tunnel::Failure Tunnel::failure_of(Direction direction, const FlowStep& step) const {
  const bool client = (direction == Direction::up) == (step.failed_side == Side::from);
  if ((client ? up_ : down_).sender_ended()) {
    return {client ? ErrorKind::client_closed : ErrorKind::upstream_closed, 0};
  }
  if (means_vanished(step.error)) {
    return {client ? ErrorKind::client_vanished : ErrorKind::upstream_vanished, step.error};
  }
  return {client ? ErrorKind::client_reset : ErrorKind::upstream_reset, step.error};
}

// A receiver that was reset while nothing was on its way to it, and which had said its goodbye before, so that neither
// a write nor a read would find out. Where it is still read from, its error is left for that read: the bytes before it
// come first, and the other side is told by a reset.
void Tunnel::notice_lost_receiver(Direction direction) {
  const bool up = direction == Direction::up;
  auto& to = up ? *upstream_ : *client_;
  if ((up ? up_ : down_).done() || !(up ? down_ : up_).sender_ended() || !to.broken()) return;
  if (const int error = to.take_error(); error != 0) note_failure(direction, {FlowState::failed, 0, Side::to, error});
}

Tunnel::Service Tunnel::serve(std::span<char> scratch, std::size_t budget) {
  notice_lost_receiver(Direction::up);
  notice_lost_receiver(Direction::down);
  const auto up = pump(Direction::up, scratch, budget);
  const auto down = pump(Direction::down, scratch, budget);
  const auto delivered = up.delivered + down.delivered;
  if (up_.done() && down_.done()) return {Served::ended, delivered};
  // The down direction's failure was met after the up direction had been looked at.
  const bool more = up.state == FlowState::more || down.state == FlowState::more || down.state == FlowState::failed;
  return {more ? Served::more : Served::waits, delivered};
}

std::optional<ErrorKind> Tunnel::overdue(const RelayOptions& options, TimePoint now) const {
  if (half_closed()) {
    if (now - last_progress_ >= options.half_closed) return ErrorKind::half_closed_timeout;
    return std::nullopt;
  }
  if (!answered_ && client_spoke_ != TimePoint{} && now - client_spoke_ >= options.first_reply) {
    return ErrorKind::first_reply_timeout;
  }
  if (options.idle_timeout > Milliseconds(0) && now - last_progress_ >= options.idle_timeout) {
    return ErrorKind::idle_timeout;
  }
  return std::nullopt;
}

std::optional<TimePoint> Tunnel::next_deadline(const RelayOptions& options) const {
  if (half_closed()) return last_progress_ + options.half_closed;
  std::optional<TimePoint> next;
  if (!answered_ && client_spoke_ != TimePoint{}) next = client_spoke_ + options.first_reply;
  if (options.idle_timeout > Milliseconds(0)) {
    const auto idle = last_progress_ + options.idle_timeout;
    next = next ? std::min(*next, idle) : idle;
  }
  return next;
}

ErrorKind Tunnel::how_it_ended() const {
  if (failed_) return failure_.kind;
  return client_ended_first_ ? ErrorKind::client_closed : ErrorKind::upstream_closed;
}

void Tunnel::close_sockets() {
  if (failed_) {
    pass_on_failure(std::move(client_));
    pass_on_failure(std::move(upstream_));
  }
  client_.reset();
  upstream_.reset();
}

void Tunnel::reset_sockets() {
  net::reset(std::move(client_));
  net::reset(std::move(upstream_));
}

}  // namespace chipgate::relay
