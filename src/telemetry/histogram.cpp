// Sorting durations into buckets.
#include "chipgate/telemetry/histogram.hpp"

#include "chipgate/telemetry/stage.hpp"

#include <algorithm>
#include <numeric>

namespace chipgate::telemetry {

std::uint64_t HistogramSnapshot::count() const {
  return std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
}

HistogramSnapshot& HistogramSnapshot::operator+=(const HistogramSnapshot& other) {
  std::ranges::transform(buckets, other.buckets, buckets.begin(), std::plus<>());
  sum_seconds += other.sum_seconds;
  return *this;
}

void Histogram::observe(Clock::duration duration) {
  const auto seconds = std::chrono::duration<double>(duration).count();
  const auto bucket = std::ranges::lower_bound(*bounds_, seconds) - bounds_->begin();
  buckets_.at(static_cast<std::size_t>(bucket)).increment();
  const auto nanoseconds = std::chrono::nanoseconds(duration).count();
  nanoseconds_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0)));
}

HistogramSnapshot Histogram::snapshot() const {
  HistogramSnapshot snapshot;
  std::ranges::transform(buckets_, snapshot.buckets.begin(), [](const Counter& bucket) { return bucket.value(); });
  snapshot.sum_seconds = static_cast<double>(nanoseconds_.value()) / 1e9;
  return snapshot;
}

std::string_view name(Stage stage) {
  switch (stage) {
    case Stage::head: return "head";
    case Stage::hold: return "hold";
    case Stage::connect: return "connect";
    case Stage::tls: return "tls";
    case Stage::reply: return "reply";
  }
  return "head";
}

}  // namespace chipgate::telemetry
