// Where the ledger is, and how it decides who owns an address.
#pragma once

#include "chipgate/base/duration.hpp"

#include <filesystem>

namespace chipgate::ledger {

struct LedgerOptions {
  std::filesystem::path path = "chipgate.db";
  // How long a released address is kept from other chips. Never under a minute in service.
  Milliseconds quarantine{std::chrono::hours(1)};
  // How long closed assignments, events and traffic are kept; 0 is for ever.
  Milliseconds retention{0};
  // How much of an address two chips must not share.
  unsigned prefix_v4 = 32;
  unsigned prefix_v6 = 64;
};

}  // namespace chipgate::ledger
