// StageWatch: which stage of its CONNECT a client is in, and how long each took.
#pragma once

#include "chipgate/telemetry/metrics.hpp"
#include "chipgate/telemetry/stage.hpp"

#include <optional>

namespace chipgate::telemetry {

// One a client, on its shard; `times` are those of the request that is being served. A stage that is left is counted in
// the shard's histogram, however it was left. Whoever is no client has one without a histogram.
class StageWatch {
 public:
  StageWatch() = default;
  explicit StageWatch(ShardCounters& counters) : counters_(&counters) {}
  StageWatch(const StageWatch&) = delete;
  StageWatch& operator=(const StageWatch&) = delete;
  ~StageWatch() { leave(); }

  // To enter where one is already goes on.
  void enter(Stage stage) {
    if (stage_ == stage) return;
    leave();
    stage_ = stage;
    since_ = Clock::now();
  }
  void leave() {
    if (!stage_) return;
    const auto took = Clock::now() - since_;
    times_[*stage_] += took;
    if (counters_ != nullptr) counters_->stage(*stage_).observe(took);
    stage_.reset();
  }
  // Another request of the same client.
  void begin_anew() {
    leave();
    times_ = {};
  }
  const StageTimes& times() const { return times_; }

 private:
  ShardCounters* counters_ = nullptr;
  std::optional<Stage> stage_;
  TimePoint since_;
  StageTimes times_;
};

}  // namespace chipgate::telemetry
