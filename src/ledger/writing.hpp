// What the ledger's operations do, each within a transaction that others may share. They run on the ledger's thread,
// and once more from the start where that transaction failed.
#pragma once

#include "chipgate/ledger/ledger.hpp"
#include "chipgate/ledger/options.hpp"
#include "clock.hpp"
#include "transaction.hpp"

namespace chipgate::ledger {

struct Writing {
  Transaction& sql;
  const LedgerOptions& options;
  LedgerClock& clock;
};

Result<PutChipAnswer> put_chip(Writing&, const ChipRow&);
Result<bool> arm(Writing&, const ChipId&, Arming);
Result<void> delete_chip(Writing&, const ChipId&, WallTime at);

Result<Issued> issue(Writing&, const Issue&);
Result<void> settle(Writing&, const SessionIdentifier&, IdentifierOutcome, const std::optional<IpAddress>& observed);

Result<Taken> take(Writing&, const Take&);
Result<void> closing(Writing&, AssignmentId, WallTime at, const std::string& reason);
Result<void> close(Writing&, const Close&);
Result<void> swap(Writing&, const Swap&);
Result<void> verified(Writing&, AssignmentId, WallTime at);

Result<void> observe(Writing&, const Observe&);
Result<void> postpone_quarantines(Writing&, Milliseconds by, WallTime ended_before);
Result<void> deny(Writing&, const DeniedExit&);
Result<bool> allow(Writing&, const IpAddress&);

Result<void> add_traffic(Writing&, const std::vector<TrafficRow>&);
Result<EventRow> append(Writing&, const EventRow&);
Result<void> retain(Writing&, const Retention&);

}  // namespace chipgate::ledger
