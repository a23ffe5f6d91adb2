// History as a table for spreadsheets (RFC 4180).
#pragma once

#include "chipgate/ledger/ledger.hpp"

#include <string>
#include <vector>

namespace chipgate::admin {

// With a line of names, which stands there also where there are no rows.
std::string csv(const std::vector<ledger::HistoryRow>&);

}  // namespace chipgate::admin
