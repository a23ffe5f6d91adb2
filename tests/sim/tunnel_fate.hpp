// What a fault makes of an open tunnel: how many bytes it may still move, when to look again, and its end.
#pragma once

#include "sim/faults.hpp"

#include <optional>

namespace chipgate::sim {

enum class Verdict : std::uint8_t { go_on, cut, freeze };

// Pure: the clock is an argument.
class TunnelFate {
 public:
  TunnelFate(std::optional<Fault> fault, TimePoint opened);

  Verdict verdict(TimePoint now) const;
  // Bytes that may move now.
  std::uint64_t budget(TimePoint now) const;
  void moved(std::uint64_t bytes, TimePoint now);
  // When the verdict or the budget changes by time alone.
  std::optional<TimePoint> next_look(TimePoint now) const;
  CloseHow how() const { return fault_ ? fault_->how : CloseHow::fin; }

 private:
  bool is(FaultKind kind) const { return fault_ && fault_->kind == kind; }

  std::optional<Fault> fault_;
  TimePoint opened_;
  TimePoint last_byte_;
  std::uint64_t bytes_ = 0;
};

}  // namespace chipgate::sim
