// LedgerClock: the ledger's times never run backwards.
#pragma once

#include "chipgate/base/duration.hpp"

namespace chipgate::ledger {

class LedgerClock {
 public:
  LedgerClock() = default;
  explicit LedgerClock(WallTime last_written) : last_(last_written) {}

  // The time, or the last one written where that is later; in whole microseconds.
  WallTime at(WallTime);
  WallTime last() const { return last_; }

 private:
  WallTime last_{};
};

}  // namespace chipgate::ledger
