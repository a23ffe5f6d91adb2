// What becomes of chips' assignments, counted as it happens.
#pragma once

#include "chipgate/telemetry/metrics.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace chipgate::telemetry {

// What became of a session that was drawn.
enum class DrawOutcome : std::uint8_t {
  taken,        // its exit is the chip's
  in_use,       // another live assignment has the exit
  quarantined,  // the exit was released not long ago
  scarce,       // taken all the same: counted beside its `quarantined`
  denied,       // the exit is on the list of denied ones
  own_last,     // the exit is the chip's last one
  failed,       // no exit was seen, or the ledger could not write
  abandoned,    // the chip was fenced meanwhile
};
inline constexpr std::size_t draw_outcome_count = 8;

// What looking at an open assignment said.
enum class LookOutcome : std::uint8_t { same, other, unknown };
inline constexpr std::size_t look_outcome_count = 3;

std::string_view name(DrawOutcome);
std::string_view name(LookOutcome);

// Written on the control thread, where the scrape is too.
struct LifeCounters {
  Counter& draw(DrawOutcome outcome) { return draws.at(static_cast<std::size_t>(outcome)); }
  const Counter& draw(DrawOutcome outcome) const { return draws.at(static_cast<std::size_t>(outcome)); }
  Counter& look(LookOutcome outcome) { return looks.at(static_cast<std::size_t>(outcome)); }
  const Counter& look(LookOutcome outcome) const { return looks.at(static_cast<std::size_t>(outcome)); }

  std::array<Counter, draw_outcome_count> draws;
  std::array<Counter, look_outcome_count> looks;
  Counter moves;
  Histogram exposure{exposure_bounds};
  Counter duplicates_seen;
  Counter look_bytes_up;
  Counter look_bytes_down;
  ReasonCounters breaker_opened;
  // By their type. Types are words of the code, and few.
  std::map<std::string, std::uint64_t, std::less<>> events;
};

}  // namespace chipgate::telemetry
