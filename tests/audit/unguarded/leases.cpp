// The ledger without its leases: whoever wants an address gets it.
#define lease guarded_lease
#include "../../../src/ledger/leases.cpp"
#undef lease

#include "without.hpp"

namespace chipgate::ledger {

std::optional<Refused> lease(Writing&, const Take&, AssignmentId, const IpAddress&);

std::optional<Refused> lease(Writing& in, const Take& take, AssignmentId assignment, const IpAddress& address) {
  if (unguarded::without("lease")) return std::nullopt;
  return guarded_lease(in, take, assignment, address);
}

}  // namespace chipgate::ledger
