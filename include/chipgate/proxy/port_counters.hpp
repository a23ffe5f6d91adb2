// PortCounters: what a chip's port counts, for the scrape and for whoever asks how the chip is used.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/base/ids.hpp"
#include "chipgate/telemetry/metrics.hpp"

#include <string>

namespace chipgate::proxy {

// Written by the port on its shard, read on the control thread. Owned by both: a port that is closed goes in its own
// time, and a scrape may be in the middle of its families.
struct PortCounters : telemetry::ChipCounters {
  explicit PortCounters(const ChipId& id) : chip(id.value()) {}

  void used(TimePoint at) { last_used_ticks.set(at.time_since_epoch().count()); }
  TimePoint last_used() const { return TimePoint(Clock::duration(last_used_ticks.value())); }

  const std::string chip;
  telemetry::Gauge requests_open;  // plain requests on their way
  telemetry::Gauge last_used_ticks;
};

}  // namespace chipgate::proxy
