// Durations as people write them in configuration and logs: "250ms", "15s", "5min", "6h", "7d".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace chipgate {

using Milliseconds = std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC: what a shard's timers run on
using TimePoint = Clock::time_point;
using WallTime = std::chrono::system_clock::time_point;  // UTC

// A whole number and one of ms, s, min, h, d. "0" alone is a duration; every other number needs its unit.
std::optional<Milliseconds> parse_duration(std::string_view text);
// The shortest exact form: 90000 ms is "90s", 120000 ms is "2min".
std::string format_duration(Milliseconds);

// RFC 3339 with milliseconds and Z: "2026-01-02T03:04:05.678Z".
std::string rfc3339(WallTime);
// Date, time and an offset, as RFC 3339 has them: "2026-01-02T03:04:05Z", "2026-01-02T00:04:05.678-03:00".
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace chipgate
