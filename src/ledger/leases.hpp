// Leases: who owns an exit address.
#pragma once

#include "writing.hpp"

namespace chipgate::ledger {

// Takes the address for the assignment, or says why it cannot be had.
std::optional<Refused> lease(Writing&, const Take&, AssignmentId, const IpAddress&);

// What the assignment holds goes into quarantine, from this time on.
void release_leases(Writing&, AssignmentId, WallTime at);

// Keeps an address from other chips that this one was seen with, unless somebody holds it.
void quarantine(Writing&, const ChipId&, const IpAddress&, WallTime at);

// Leases, quarantines and denied exits by prefixes of another length than before. Fails where live assignments collide
// then, with the chips in the text.
void rewrite_prefixes(Transaction&, const LedgerOptions&);

}  // namespace chipgate::ledger
