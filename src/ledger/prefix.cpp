// Masking addresses.
#include "prefix.hpp"

namespace chipgate::ledger {

std::string prefix_of(const IpAddress& address, const LedgerOptions& options) {
  const ExitPrefixes prefixes{options.prefix_v4, options.prefix_v6};
  return prefixes.exit_of(address).text() + "/" + std::to_string(prefixes.bits(address));
}

int family(const IpAddress& address) { return address.is_v4() ? 4 : 6; }

}  // namespace chipgate::ledger
