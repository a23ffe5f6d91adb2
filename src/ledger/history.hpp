// Questions about what was. They run on the reading thread, each on one state of the ledger.
#pragma once

#include "chipgate/ledger/ledger.hpp"
#include "transaction.hpp"

namespace chipgate::ledger {

std::vector<HistoryRow> assignments(Transaction&, const AssignmentFilter&);
std::vector<EventRow> events(Transaction&, const EventFilter&);
std::vector<TrafficRow> traffic(Transaction&, const std::optional<ChipId>&, const std::string& from_day,
                                const std::string& to_day);
std::vector<DeniedExit> denied(Transaction&);

}  // namespace chipgate::ledger
