// What a start says of its surroundings.
#pragma once

#include "chipgate/ledger/ledger.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace chipgate::telemetry {
class Log;
}

namespace chipgate::app {

// By how many a configuration with so many chips is served without refusals.
std::uint64_t descriptors_needed(std::size_t chips);
// Raises the limit of descriptors as far as it goes, and tells whether it is enough for so many chips.
void report_descriptors(telemetry::Log& log, std::size_t chips);
void report_ledger(telemetry::Log& log, const ledger::Restored& restored, const std::string& path);

}  // namespace chipgate::app
