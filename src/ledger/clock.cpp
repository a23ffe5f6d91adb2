// The latest time so far.
#include "clock.hpp"

#include <algorithm>

namespace chipgate::ledger {

WallTime LedgerClock::at(WallTime time) {
  last_ = std::max(last_, WallTime(std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch())));
  return last_;
}

}  // namespace chipgate::ledger
