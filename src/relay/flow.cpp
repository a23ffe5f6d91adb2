// Moving one direction's bytes.
#include "chipgate/relay/flow.hpp"

#include <algorithm>

namespace chipgate::relay {
namespace {

// What is read at once after a receiver was slow, until it takes a whole read again: less is left over to hold.
constexpr std::size_t cautious_read = 16 * 1024;

FlowStep failure(int error) { return {FlowState::failed, 0, error}; }

}  // namespace

void Flow::prepend(std::string bytes) {
  if (bytes.empty()) return;
  backlog_ = std::make_unique<Backlog>(Backlog{std::move(bytes)});
}

void Flow::abandon() {
  backlog_.reset();
  sender_ended_ = receiver_told_ = true;
}

void Flow::lose_sender(int error) {
  if (sender_error_ == 0) sender_error_ = error;
}

FlowStep Flow::step(net::End& from, net::End& to, std::span<char> scratch, std::size_t budget) {
  std::size_t delivered = 0;
  for (;;) {
    FlowStep step{FlowState::more};
    if (backlog_) {
      step = flush(to);
      // The receiver blocks, and the sender may be dead behind it: nobody else would notice.
      if (step.state == FlowState::blocked && from.broken()) lose_sender(from.take_error());
    } else if (sender_ended_) {
      step = tell_end(to);
    } else if (!from.readable()) {
      step.state = FlowState::idle;
    } else if (!to.writable() && !from.broken()) {
      step.state = FlowState::blocked;
    } else if (delivered >= budget) {
      return {FlowState::more, delivered};
    } else {
      step = forward(from, to, scratch);
    }
    delivered += step.delivered;
    step.delivered = delivered;
    if (step.state != FlowState::more) return step;
  }
}

FlowStep Flow::flush(net::End& to) {
  if (!to.writable()) return {FlowState::blocked};
  const auto outcome = to.write(backlog_->rest());
  if (outcome.status == net::IoStatus::failed) return failure(outcome.error);
  if (outcome.status == net::IoStatus::would_block) return {FlowState::blocked};
  backlog_->sent += outcome.bytes;
  if (backlog_->rest().empty()) backlog_.reset();
  return {FlowState::more, outcome.bytes};
}

// Only now, when everything that was read has been written.
FlowStep Flow::tell_end(net::End& to) {
  if (sender_error_ != 0) receiver_told_ = true;  // by the tunnel's end, with a reset
  if (receiver_told_) return {FlowState::done};
  if (!to.writable()) return {FlowState::blocked};
  const auto outcome = to.shut_write();
  if (outcome.status == net::IoStatus::would_block) return {FlowState::blocked};
  if (outcome.status == net::IoStatus::failed) return failure(outcome.error);
  receiver_told_ = true;
  return {FlowState::done};
}

FlowStep Flow::forward(net::End& from, net::End& to, std::span<char> scratch) {
  const auto room = cautious_ ? scratch.first(std::min(cautious_read, scratch.size())) : scratch;
  const auto read = from.read(room);
  switch (read.status) {
    case net::IoStatus::would_block: return {FlowState::idle};
    case net::IoStatus::failed: lose_sender(read.error); [[fallthrough]];
    case net::IoStatus::eof: sender_ended_ = true; return {FlowState::more};
    case net::IoStatus::moved: break;
  }
  const std::string_view bytes(room.data(), read.bytes);
  const auto written = to.writable() ? to.write(bytes) : net::IoOutcome{net::IoStatus::would_block};
  if (written.status == net::IoStatus::failed) return failure(written.error);
  cautious_ = written.bytes < bytes.size();
  if (cautious_) backlog_ = std::make_unique<Backlog>(Backlog{std::string(bytes.substr(written.bytes))});
  return {FlowState::more, written.bytes};
}

}  // namespace chipgate::relay
