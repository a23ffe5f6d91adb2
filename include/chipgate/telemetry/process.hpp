// What the kernel says about this process, as the scrape reports it: a read or two from /proc each, 0 where that fails.
#pragma once

#include <cstdint>

namespace chipgate::telemetry {

std::uint64_t open_descriptors();
// The same where the kernel keeps no count (before Linux 6.2). Right even when no descriptor is left.
std::uint64_t count_descriptors();
std::uint64_t max_descriptors();
std::uint64_t resident_bytes();
double cpu_seconds();
double start_time_seconds();  // Unix time

}  // namespace chipgate::telemetry
