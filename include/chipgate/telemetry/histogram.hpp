// How long things take, counted in fixed buckets by one thread and read by the scrape.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/telemetry/counter.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace chipgate::telemetry {

inline constexpr std::size_t bound_count = 12;
// Upper bounds in seconds, rising; what is longer falls into a last bucket without a bound.
using HistogramBounds = std::array<double, bound_count>;

// Parts of a CONNECT: from a loopback round trip to a client's patience, with the connect budget (15 s) as a bound.
inline constexpr HistogramBounds stage_bounds{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30, 60};
// Tunnels: residential exits cut some within seconds, and WhatsApp keeps others for days.
inline constexpr HistogramBounds lifetime_bounds{1, 5, 15, 60, 300, 900, 1'800, 3'600, 10'800, 43'200, 86'400, 604'800};
// Exposures: a look every five minutes is usual, and one of half an hour ago is the oldest under which clients are let
// in.
inline constexpr HistogramBounds exposure_bounds{.1, .5, 1, 5, 15, 60, 150, 300, 600, 1'800, 3'600, 21'600};

// What a histogram held at one moment: per bucket, not cumulative. The number of all is the sum of the buckets, so that
// the two agree even while a shard is writing.
struct HistogramSnapshot {
  std::array<std::uint64_t, bound_count + 1> buckets{};
  double sum_seconds = 0;

  std::uint64_t count() const;
  HistogramSnapshot& operator+=(const HistogramSnapshot&);
};

// Owned by a shard and written by its thread only.
class Histogram {
 public:
  // The bounds must outlive the histogram: they are one of the constants above.
  explicit Histogram(const HistogramBounds& bounds) : bounds_(&bounds) {}
  explicit Histogram(HistogramBounds&&) = delete;

  void observe(Clock::duration);
  HistogramSnapshot snapshot() const;
  const HistogramBounds& bounds() const { return *bounds_; }

 private:
  const HistogramBounds* bounds_;
  std::array<Counter, bound_count + 1> buckets_;
  Counter nanoseconds_;  // in all: enough for 584 years of waiting
};

}  // namespace chipgate::telemetry
