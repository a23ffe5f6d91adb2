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

// The kernel has no event for an acknowledgement, so it is looked for: soon at first, since most come at once.
constexpr Milliseconds first_look{5};
constexpr Milliseconds rarest_look{500};

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
  if (step.state == FlowState::failed) lost_receiver(direction, step.error);
  if (flow.sender_error() != 0) lost_sender(direction);
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

// It had said its goodbye and may go without hearing ours: curl closes with TLS's last words unread, which the kernel
// turns into a reset. That is a close.
void Tunnel::note_failure(Direction sent, int error) {
  if (failed_) return;
  failed_ = true;
  failed_at_ = last_progress_ = Clock::now();
  const bool client = sent == Direction::up;
  const auto& flow = client ? up_ : down_;
  if (flow.sender_ended() && flow.sender_error() == 0) {
    failure_ = {client ? ErrorKind::client_closed : ErrorKind::upstream_closed, 0};
  } else if (means_vanished(error)) {
    failure_ = {client ? ErrorKind::client_vanished : ErrorKind::upstream_vanished, error};
  } else {
    failure_ = {client ? ErrorKind::client_reset : ErrorKind::upstream_reset, error};
  }
}

// Nothing can be told to it any more; what it had sent goes on.
void Tunnel::lost_sender(Direction direction) {
  const bool up = direction == Direction::up;
  note_failure(direction, (up ? up_ : down_).sender_error());
  (up ? down_ : up_).abandon();
}

// What it had sent before it went (an early answer, say) still waits to be read in the other direction. EPIPE is what
// the kernel calls the reset of a peer whose FIN had come: that direction is whole.
void Tunnel::lost_receiver(Direction direction, int error) {
  const bool up = direction == Direction::up;
  auto& back = up ? down_ : up_;
  note_failure(up ? Direction::down : Direction::up, error);
  (up ? up_ : down_).abandon();
  if (!back.sender_ended() && error != EPIPE) back.lose_sender(error);
}

// A receiver that was reset while nothing was on its way to it, and which had said its goodbye before, so that neither
// a write nor a read would find out. Where it is still read from, its error is left for that read: the bytes before it
// come first, and the other side is told by a reset.
void Tunnel::notice_lost_receiver(Direction direction) {
  const bool up = direction == Direction::up;
  auto& to = up ? *upstream_ : *client_;
  if ((up ? up_ : down_).done() || !(up ? down_ : up_).sender_ended() || !to.broken()) return;
  if (const int error = to.take_error(); error != 0) lost_receiver(direction, error);
}

std::uint64_t Tunnel::unacknowledged() const {
  const auto of = [](const net::End& end) { return end.broken() ? 0 : net::unacknowledged(end.fd()); };
  return static_cast<std::uint64_t>(of(*client_)) + static_cast<std::uint64_t>(of(*upstream_));
}

// A reset would drop what the survivor's kernel has not taken.
bool Tunnel::wait_for_acknowledgement() {
  if (!failed_) return false;
  const auto left = unacknowledged();
  if (left != unacknowledged_) last_progress_ = Clock::now();
  unacknowledged_ = left;
  return left > 0;
}

Tunnel::Service Tunnel::serve(std::span<char> scratch, std::size_t budget) {
  notice_lost_receiver(Direction::up);
  notice_lost_receiver(Direction::down);
  const auto up = pump(Direction::up, scratch, budget);
  const auto down = pump(Direction::down, scratch, budget);
  const auto delivered = up.delivered + down.delivered;
  if (through()) return {wait_for_acknowledgement() ? Served::waits : Served::ended, delivered};
  // The down direction's failure was met after the up direction had been looked at.
  const bool more = up.state == FlowState::more || down.state == FlowState::more || down.state == FlowState::failed;
  return {more ? Served::more : Served::waits, delivered};
}

std::optional<ErrorKind> Tunnel::overdue(const RelayOptions& options, TimePoint now) const {
  if (failed_) return now - failed_at_ >= options.half_closed ? std::optional(failure_.kind) : std::nullopt;
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
  if (failed_) {
    const auto last = failed_at_ + options.half_closed;
    if (!through()) return last;
    const auto now = Clock::now();
    return std::min(last, now + std::clamp<Clock::duration>((now - last_progress_) / 4, first_look, rarest_look));
  }
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
  // A FIN would make a cut stream look whole.
  if (failed_) return reset_sockets();
  client_.reset();
  upstream_.reset();
}

void Tunnel::reset_sockets() {
  net::reset(std::move(client_));
  net::reset(std::move(upstream_));
}

}  // namespace chipgate::relay
