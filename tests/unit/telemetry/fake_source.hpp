// A source of metrics whose numbers the tests choose.
#pragma once

#include "chipgate/telemetry/exposition.hpp"
#include "unit/support/quiet_life.hpp"

#include <memory>
#include <string>
#include <vector>

namespace chipgate::telemetry {

using namespace std::chrono_literals;

class BusyLife final : public test::QuietLife {
 public:
  BusyLife() {
    counters_.draw(DrawOutcome::in_use).add(3);
    counters_.draw(DrawOutcome::taken).add(2);
    counters_.look(LookOutcome::other).increment();
    counters_.moves.increment();
    counters_.exposure.observe(200s);
    counters_.duplicates_seen.add(4);
    counters_.look_bytes_down.add(700);
    counters_.breaker_opened.increment(ErrorKind::provider_auth);
    counters_.events["chip.moved"] = 1;
  }
  std::uint64_t duplicates() const override { return 2; }
  std::uint64_t crowded_chips() const override { return 1; }
  bool looking() const override { return false; }
  bool breaker_open() const override { return true; }
  std::vector<ChipValue> verified_at() const override { return {{"a", 1'795'348'800.5}}; }
  std::vector<ChipValue> quota_used() const override { return {{"a", 0.25}, {"b", 1.5}}; }
};

class FakeSource : public MetricsSource {
 public:
  ChipCounters& add_chip(const std::string& name) {
    names_.push_back(std::make_unique<std::string>(name));
    counters_.push_back(std::make_unique<ChipCounters>());
    chips_.push_back({*names_.back(), counters_.back().get()});
    return *counters_.back();
  }

  ShardCounters& add_shard() {
    owned_shards_.push_back(std::make_unique<ShardCounters>());
    shards_.push_back(owned_shards_.back().get());
    return *owned_shards_.back();
  }

  std::span<const ChipSample> chips() const override { return chips_; }
  std::span<const ShardCounters* const> shards() const override { return shards_; }
  std::vector<EndpointSample> endpoints() const override {
    return {{"http://gw.example:3120", EndpointHealth::up}, {"odd \"\\\n", EndpointHealth::down}};
  }
  std::uint64_t log_dropped() const override { return 7; }
  LedgerSample ledger() const override { return {5, 1, 3, false}; }
  const LifeSource& life() const override { return busy_life; }

  BusyLife busy_life;

 private:
  std::vector<std::unique_ptr<std::string>> names_;
  std::vector<std::unique_ptr<ChipCounters>> counters_;
  std::vector<std::unique_ptr<ShardCounters>> owned_shards_;
  std::vector<ChipSample> chips_;
  std::vector<const ShardCounters*> shards_;
};

inline std::string everything(const Exposition& exposition) {
  std::string text;
  for (std::size_t i = 0; i < exposition.family_count(); ++i) text += exposition.render(i);
  return text;
}

}  // namespace chipgate::telemetry
