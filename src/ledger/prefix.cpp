// Masking addresses.
#include "prefix.hpp"

namespace chipgate::ledger {

std::string prefix_of(const IpAddress& address, const LedgerOptions& options) {
  const auto bits = address.is_v4() ? options.prefix_v4 : options.prefix_v6;
  return address.masked(bits).text() + "/" + std::to_string(bits);
}

int family(const IpAddress& address) { return address.is_v4() ? 4 : 6; }

}  // namespace chipgate::ledger
