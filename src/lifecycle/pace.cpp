// Buckets, caps and back-off.
#include "chipgate/lifecycle/pace.hpp"

#include <algorithm>

namespace chipgate::lifecycle {
namespace {

constexpr auto hour = std::chrono::hours(1);

}  // namespace

FleetPace::FleetPace(unsigned per_second) { change(per_second); }

void FleetPace::change(unsigned per_second) {
  space_ = std::chrono::duration_cast<Clock::duration>(std::chrono::seconds(1)) / std::max(1U, per_second);
}

TimePoint FleetPace::reserve(TimePoint now) {
  // What was not used of the last second may be used at once.
  next_ = std::max(next_, now - std::chrono::seconds(1));
  const auto mine = std::max(next_, now);
  next_ += space_;
  return mine;
}

bool FleetPace::take_spare(TimePoint now) {
  if (next_ > now) return false;
  (void)reserve(now);
  return true;
}

bool wants_heartbeat(Milliseconds idle, Clock::duration unused, unsigned failed_looks) {
  return idle > Milliseconds(0) && unused > idle * 4 / 5 && failed_looks == 0;
}

Milliseconds renewal_margin(Milliseconds lifetime) {
  return std::min<Milliseconds>(lifetime / 5, std::chrono::minutes(10));
}

TimePoint ChipPace::after_failure(const DrawOptions& options, TimePoint now, std::uint64_t random) {
  backoff_ = std::clamp(backoff_ * 2, options.retry_min, std::max(options.retry_min, options.retry_max));
  // A fifth to both sides, in steps of a thousandth, but never sooner than somebody who waits may ask for.
  const auto jitter = static_cast<std::int64_t>(random % 401) - 200;
  return now + std::max(options.retry_min, backoff_ + backoff_ * jitter / 1'000);
}

TimePoint ChipPace::hurried(const DrawOptions& options, TimePoint now) const {
  return std::max(now, last_asked_ + options.retry_min);
}

void ChipPace::succeeded(TimePoint now) {
  backoff_ = Milliseconds(0);
  opened_at(now);
}

void ChipPace::opened_at(TimePoint at) {
  while (!opened_.empty() && opened_.front() + hour <= at) opened_.pop_front();
  opened_.push_back(at);
}

TimePoint ChipPace::capped_until(const DrawOptions& options, TimePoint now) const {
  const auto recent = std::ranges::count_if(opened_, [now](TimePoint at) { return at + hour > now; });
  if (recent < static_cast<std::ptrdiff_t>(options.per_chip_and_hour)) return now;
  return opened_.at(opened_.size() - options.per_chip_and_hour) + hour;
}

}  // namespace chipgate::lifecycle
