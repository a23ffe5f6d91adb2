// Flow: one direction of a tunnel, and how far a step of it came.
#pragma once

#include "chipgate/net/end.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace chipgate::relay {

enum class Direction : std::uint8_t { up, down };  // up is from the client

enum class FlowState : std::uint8_t {
  idle,     // nothing to read
  blocked,  // the receiver takes no more for now
  more,     // the budget ended first
  done,     // the sender has ended, all is delivered and the receiver knows
  failed,   // the receiver takes nothing any more
};

struct FlowStep {
  FlowState state;
  std::size_t delivered = 0;  // bytes handed to the receiver's kernel
  int error = 0;              // with `failed`
};

// Bytes that the receiver did not take. Exists only while the direction is blocked: an idle tunnel owns no buffer.
struct Backlog {
  std::string bytes;
  std::size_t sent = 0;

  std::string_view rest() const { return std::string_view(bytes).substr(sent); }
};

class Flow {
 public:
  // Bytes that came before the tunnel was one: behind a CONNECT's head, or behind the gateway's 200. They go first.
  void prepend(std::string bytes);

  // Moves at most about `budget` bytes through `scratch`, which is as large as a read may be.
  FlowStep step(net::End& from, net::End& to, std::span<char> scratch, std::size_t budget);

  // Nothing more is read or delivered: the receiver is gone.
  void abandon();
  // The sender failed. What it had sent before is still delivered, but the receiver is not told an end: it would take a
  // cut stream for a whole one.
  void lose_sender(int error);

  std::size_t held() const { return backlog_ ? backlog_->rest().size() : 0; }
  bool sender_ended() const { return sender_ended_; }
  // errno of a sender that failed, which a step may find out; 0 where it did not.
  int sender_error() const { return sender_error_; }
  bool done() const { return sender_ended_ && receiver_told_; }

 private:
  FlowStep flush(net::End& to);
  FlowStep tell_end(net::End& to);
  FlowStep forward(net::End& from, net::End& to, std::span<char> scratch);

  std::unique_ptr<Backlog> backlog_;
  int sender_error_ = 0;
  bool sender_ended_ = false;
  bool receiver_told_ = false;
  bool cautious_ = false;
};

}  // namespace chipgate::relay
