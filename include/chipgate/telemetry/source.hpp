// What the scrape asks the rest of chipgate for.
#pragma once

#include "chipgate/telemetry/life_counters.hpp"
#include "chipgate/telemetry/metrics.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chipgate::telemetry {

// A chip's counters under the name that is its `chip` label. Both must stay where they are as long as the source lists
// them: their shard writes on while they are read.
struct ChipSample {
  std::string_view chip;
  const ChipCounters* counters;
};

struct StateCount {
  std::string_view state;
  std::uint64_t chips;
};

enum class EndpointHealth : std::uint8_t { down, up };

struct EndpointSample {
  std::string name;
  EndpointHealth health;
};

// What one chip has of something, under its `chip` label.
struct ChipValue {
  std::string_view chip;
  double value;
};

struct LedgerSample {
  std::uint64_t commits = 0;
  std::uint64_t commit_failures = 0;
  std::uint64_t queue = 0;
  bool writable = true;
};

// What the life cycle knows when it is asked; names are good until it runs on.
class LifeSource {
 public:
  virtual const LifeCounters& counters() const = 0;
  virtual std::vector<StateCount> chip_states() const = 0;
  virtual std::uint64_t assignments_active() const = 0;
  virtual std::uint64_t duplicates() const = 0;
  virtual std::uint64_t crowded_chips() const = 0;
  virtual bool looking() const = 0;
  virtual bool breaker_open() const = 0;
  // In Unix seconds, of chips with an assignment; none where nobody looks.
  virtual std::vector<ChipValue> verified_at() const = 0;
  // 1 is all of it; none of chips without a quota.
  virtual std::vector<ChipValue> quota_used() const = 0;

 protected:
  ~LifeSource() = default;
};

// Implemented by whoever wires the process together, and called only on the thread of the scrape (the control thread).
// Chips may come and go between two calls, never during one.
class MetricsSource {
 public:
  virtual ~MetricsSource() = default;

  virtual std::span<const ChipSample> chips() const = 0;
  virtual std::span<const ShardCounters* const> shards() const = 0;
  virtual std::vector<EndpointSample> endpoints() const = 0;
  virtual std::uint64_t log_dropped() const = 0;
  virtual LedgerSample ledger() const = 0;
  virtual const LifeSource& life() const = 0;
};

}  // namespace chipgate::telemetry
