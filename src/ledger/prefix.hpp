// How much of an address two chips must not share.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/ledger/options.hpp"

#include <string>

namespace chipgate::ledger {

// "192.0.2.0/24": the network of the address, by the options' length for its family.
std::string prefix_of(const IpAddress&, const LedgerOptions&);
// 4 or 6.
int family(const IpAddress&);

}  // namespace chipgate::ledger
