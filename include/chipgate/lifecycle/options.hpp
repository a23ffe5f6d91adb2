// How chips get, keep and lose their assignments.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/duration.hpp"
#include "chipgate/protocol/authority.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace chipgate::lifecycle {

enum class Looking : std::uint8_t { off, on };
// A move: draw another exit at once, or let the operator decide.
enum class OnChange : std::uint8_t { redraw, block };
// Every free address of the pool is in quarantine: wait, or take the one that is there the longest.
enum class WhenScarce : std::uint8_t { strict, oldest };

struct VerifyOptions {
  Looking looking = Looking::on;
  Milliseconds interval{std::chrono::minutes(5)};
  // Without a good look for this long, no new tunnels.
  Milliseconds max_age{std::chrono::minutes(30)};
  // A session whose exit has been gone for so long does not come back.
  Milliseconds lost_after{15'000};
  Milliseconds timeout{8'000};
  // By family, at least two of each that is looked at: a move is confirmed by another page.
  std::vector<protocol::HttpUrl> echoes_v4{};
  std::vector<protocol::HttpUrl> echoes_v6{};
  OnChange on_change = OnChange::redraw;
};

struct DrawOptions {
  unsigned per_round = 5;
  Milliseconds retry_min{1'000};
  Milliseconds retry_max{60'000};
  // Of the whole process; the looks of a restart count too.
  unsigned per_second = 60;
  // New assignments of one chip.
  unsigned per_chip_and_hour = 6;
  WhenScarce when_scarce = WhenScarce::oldest;
};

struct KeepOptions {
  // No tunnel for so long ends the assignment; 0 is never.
  Milliseconds release_after{0};
  // The same for chips that nobody uses at all, so that a dead bot stops costing.
  Milliseconds unused{std::chrono::hours(6)};
};

struct LifeOptions {
  VerifyOptions verify;
  DrawOptions draw;
  KeepOptions keep;
  unsigned prefix_v4 = 32;
  unsigned prefix_v6 = 64;

  ExitPrefixes prefixes() const { return {prefix_v4, prefix_v6}; }
};

// Where chips find their ports; both ends included.
struct PortRange {
  std::uint16_t first = 20'001;
  std::uint16_t last = 29'999;
};

}  // namespace chipgate::lifecycle
