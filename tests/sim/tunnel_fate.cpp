// Faults of open tunnels as arithmetic.
#include "sim/tunnel_fate.hpp"

#include <algorithm>
#include <limits>

namespace chipgate::sim {
namespace {

// How often a throttled tunnel moves its next few bytes.
constexpr Milliseconds throttle_tick{5};

}  // namespace

TunnelFate::TunnelFate(std::optional<Fault> fault, TimePoint opened)
    : fault_(std::move(fault)), opened_(opened), last_byte_(opened) {}

Verdict TunnelFate::verdict(TimePoint now) const {
  if (is(FaultKind::idle_reap)) return now >= last_byte_ + fault_->delay ? Verdict::cut : Verdict::go_on;
  if (!is(FaultKind::cut) && !is(FaultKind::blackhole)) return Verdict::go_on;
  if (bytes_ < fault_->after_bytes || now < opened_ + fault_->delay) return Verdict::go_on;
  return is(FaultKind::cut) ? Verdict::cut : Verdict::freeze;
}

std::uint64_t TunnelFate::budget(TimePoint now) const {
  constexpr auto unlimited = std::numeric_limits<std::uint64_t>::max();
  if (is(FaultKind::throttle)) {
    const auto age = std::chrono::duration_cast<Milliseconds>(now - opened_);
    const auto earned = fault_->bytes_per_second * static_cast<std::uint64_t>(age.count()) / 1000;
    return earned > bytes_ ? earned - bytes_ : 0;
  }
  // Exactly so many bytes and then the end; with 0 the time alone decides.
  const bool counts = (is(FaultKind::cut) || is(FaultKind::blackhole)) && fault_->after_bytes > 0;
  if (!counts || bytes_ >= fault_->after_bytes) return unlimited;
  return fault_->after_bytes - bytes_;
}

void TunnelFate::moved(std::uint64_t bytes, TimePoint now) {
  if (bytes == 0) return;
  bytes_ += bytes;
  last_byte_ = now;
}

std::optional<TimePoint> TunnelFate::next_look(TimePoint now) const {
  if (is(FaultKind::throttle) && budget(now) == 0) return now + throttle_tick;
  if (is(FaultKind::idle_reap)) return last_byte_ + fault_->delay;
  const bool by_time = (is(FaultKind::cut) || is(FaultKind::blackhole)) && bytes_ >= fault_->after_bytes;
  if (by_time) return opened_ + fault_->delay;
  return std::nullopt;
}

}  // namespace chipgate::sim
