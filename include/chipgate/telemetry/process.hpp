// What the kernel says about this process, as the scrape reports it.
#pragma once

#include <cstdint>

namespace chipgate::telemetry {

struct ProcessStats {
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
  std::uint64_t resident_bytes = 0;
  double cpu_seconds = 0;
  double start_time_seconds = 0;  // Unix time
};

// A few reads from /proc; a value that cannot be read is 0.
ProcessStats read_process_stats();

}  // namespace chipgate::telemetry
