// Opening the ledger.
#pragma once

#include "chipgate/ledger/ledger.hpp"
#include "chipgate/ledger/options.hpp"

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

namespace chipgate::ledger {

struct Opened {
  std::unique_ptr<Ledger> ledger;
  Restored restored;
};

// Blocks, so it comes before `control` runs; `instance` is told to a second process that wants the same ledger. The
// ledger must be destroyed before `control` is: that commits what is queued and posts the last answers.
// Throws std::runtime_error, with the file and the reason, for a person: no folder, no permission, a file that is no
// ledger or is damaged, one of a newer chipgate, one that another process has, a prefix length by which chips collide.
Opened open_ledger(LedgerOptions, boost::asio::io_context& control, std::string instance);

}  // namespace chipgate::ledger
