// What a chipgate that starts finds in the ledger.
#pragma once

#include "chipgate/ledger/ledger.hpp"
#include "chipgate/ledger/options.hpp"
#include "transaction.hpp"

namespace chipgate::ledger {

// Gives a new ledger its id, and rewrites leases where a prefix length has changed.
void settle_in(Transaction&, const LedgerOptions&, WallTime now);
Restored restore(Transaction&, WallTime now);

}  // namespace chipgate::ledger
