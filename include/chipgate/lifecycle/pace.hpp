// How fast sessions may be drawn: by the whole process, and by one chip. Pure: times are arguments.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/lifecycle/options.hpp"

#include <cstdint>
#include <deque>

namespace chipgate::lifecycle {

// Spaces draws evenly over time, with room for a second's worth at once. Who reserves, waits until its time: first
// come, first served, and nobody has to come again.
class FleetPace {
 public:
  explicit FleetPace(unsigned per_second);
  TimePoint reserve(TimePoint now);
  // The same for what need not be: false, and nothing is taken, where it would have to wait.
  bool take_spare(TimePoint now);
  // From the next reservation on.
  void change(unsigned per_second);

 private:
  Clock::duration space_{};
  TimePoint next_{};
};

// Whether a session that the provider forgets after `idle` without use is to be used now; 0 is never. A look that
// failed is followed by the next in its own time.
bool wants_heartbeat(Milliseconds idle, Clock::duration unused, unsigned failed_looks);

// When a successor is drawn, before the end of an absolute lifetime: a fifth of it, and no more than ten minutes.
Milliseconds renewal_margin(Milliseconds lifetime);

// One chip's rounds and assignments.
class ChipPace {
 public:
  // When the next round may begin after one that gave nothing: retry_min, doubling to retry_max, and up to a fifth
  // later or earlier, as `random` falls, so that chips do not move in step.
  TimePoint after_failure(const DrawOptions&, TimePoint now, std::uint64_t random);
  // A session was drawn or looked at.
  void asked_at(TimePoint now) { last_asked_ = now; }
  // A waiting client pulls the next time forward to retry_min after the last one began: how long that one then hung is
  // no reason to wait on.
  TimePoint hurried(const DrawOptions&, TimePoint now) const;
  void succeeded(TimePoint now);
  // Whether the last round gave nothing.
  bool failing() const { return backoff_ > Milliseconds(0); }
  // From an earlier process.
  void opened_at(TimePoint);

  // When the hourly cap lets another assignment be drawn; now or earlier where it does already.
  TimePoint capped_until(const DrawOptions&, TimePoint now) const;

 private:
  Milliseconds backoff_{0};
  TimePoint last_asked_{};
  std::deque<TimePoint> opened_;
};

}  // namespace chipgate::lifecycle
