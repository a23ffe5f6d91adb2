// Addresses by family.
#include "chipgate/ledger/rows.hpp"

namespace chipgate::ledger {

void Exits::set(const IpAddress& address) { (address.is_v4() ? v4 : v6) = address; }

const std::optional<IpAddress>& Exits::of_family(const IpAddress& address) const { return address.is_v4() ? v4 : v6; }

}  // namespace chipgate::ledger
