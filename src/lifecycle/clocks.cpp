// The distance between two clocks.
#include "chipgate/lifecycle/clocks.hpp"

#include <utility>

namespace chipgate::lifecycle {
namespace {

constexpr std::chrono::seconds least_jump{30};

}  // namespace

Clocks::Clocks(WallClock wall, Jumped jumped)
    : wall_(std::move(wall)), jumped_(std::move(jumped)), distance_(distance()) {}

void Clocks::heed() {
  const auto now = distance();
  const auto by = now - std::exchange(distance_, now);
  if (std::chrono::abs(by) >= least_jump) jumped_(std::chrono::round<Milliseconds>(by));
}

std::chrono::nanoseconds Clocks::distance() const {
  return wall_().time_since_epoch() - Clock::now().time_since_epoch();
}

}  // namespace chipgate::lifecycle
