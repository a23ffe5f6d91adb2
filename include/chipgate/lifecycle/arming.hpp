// Whether a chip may connect by itself, which its operator and its connect mode decide. Pure.
#pragma once

#include "chipgate/ledger/rows.hpp"

namespace chipgate::lifecycle {

inline ledger::Arming arming_at_first(ledger::ConnectMode mode) {
  return mode == ledger::ConnectMode::manual ? ledger::Arming::disarmed : ledger::Arming::armed;
}

// A chip that became manual, or is manual no more, begins as a new one would; any other stays as it was.
inline ledger::Arming arming_after(ledger::Arming was, ledger::ConnectMode before, ledger::ConnectMode after) {
  const bool same_kind = (before == ledger::ConnectMode::manual) == (after == ledger::ConnectMode::manual);
  return same_kind ? was : arming_at_first(after);
}

}  // namespace chipgate::lifecycle
