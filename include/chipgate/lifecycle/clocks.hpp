// Clocks: the wall clock, and whether somebody has set it.
#pragma once

#include "chipgate/base/duration.hpp"

#include <chrono>
#include <functional>

namespace chipgate::lifecycle {

using WallClock = std::function<WallTime()>;

// Control thread. A jump shows in the distance between the wall clock and the steady one, which stands while the host
// sleeps: a sleep is a jump forward, after which everything has to be looked at just the same.
class Clocks {
 public:
  // By how much; negative where it was set back.
  using Jumped = std::function<void(Milliseconds by)>;

  Clocks(WallClock wall, Jumped jumped);

  WallTime wall() const { return wall_(); }
  // Tells of a jump of more than 30 s since it was last asked. NTP's slewing stays far below.
  void heed();

 private:
  std::chrono::nanoseconds distance() const;

  WallClock wall_;
  Jumped jumped_;
  std::chrono::nanoseconds distance_;
};

}  // namespace chipgate::lifecycle
