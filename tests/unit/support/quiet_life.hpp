// QuietLife: chips to which nothing happens, for what is measured beside them.
#pragma once

#include "chipgate/telemetry/source.hpp"

namespace chipgate::test {

class QuietLife : public telemetry::LifeSource {
 public:
  const telemetry::LifeCounters& counters() const override { return counters_; }
  std::vector<telemetry::StateCount> chip_states() const override { return {{"active", 2}, {"released", 0}}; }
  std::uint64_t assignments_active() const override { return 2; }
  std::uint64_t duplicates() const override { return 0; }
  std::uint64_t crowded_chips() const override { return 0; }
  bool looking() const override { return true; }
  bool breaker_open() const override { return false; }
  std::vector<telemetry::ChipValue> verified_at() const override { return {}; }
  std::vector<telemetry::ChipValue> quota_used() const override { return {}; }

 protected:
  telemetry::LifeCounters counters_;
};

}  // namespace chipgate::test
