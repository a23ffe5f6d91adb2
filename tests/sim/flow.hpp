// One direction of a tunnel: bytes, then the end, with at most one buffer held back.
#pragma once

#include "sim/leg.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace chipgate::sim {

enum class FlowState : std::uint8_t { open, ending, done, failed };

// No coroutine: it goes as far as readiness allows. The legs outlive it.
class Flow {
 public:
  // What is in `from`'s inbox goes first.
  Flow(Leg& from, Leg& to) : from_(from), to_(to), held_(std::move(from.inbox)) { from.inbox.clear(); }

  // At most `budget` bytes, through the scratch; how many were read or flushed.
  std::size_t move(std::span<char> scratch, std::size_t budget);

  FlowState state() const { return state_; }
  bool over() const { return state_ == FlowState::done || state_ == FlowState::failed; }
  // Whether another move would do something at once.
  bool ready() const;

 private:
  std::size_t flush(std::size_t budget);
  void shut();
  std::size_t write(std::string_view bytes);

  Leg& from_;
  Leg& to_;
  std::string held_;
  std::size_t flushed_ = 0;
  FlowState state_ = FlowState::open;
};

}  // namespace chipgate::sim
