// Places among bounded numbers: whoever has one gives it back by going.
#pragma once

#include "chipgate/telemetry/metrics.hpp"

#include <atomic>
#include <cstdint>
#include <utility>

namespace chipgate::proxy {

// A place among what one shard counts; given back when it goes.
class Place {
 public:
  Place(std::uint32_t& taken, telemetry::Gauge* gauge) : taken_(&taken), gauge_(gauge) {
    ++taken;
    if (gauge_ != nullptr) gauge_->increment();
  }
  Place(Place&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)), gauge_(other.gauge_) {}
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (taken_ == nullptr) return;
    --*taken_;
    if (gauge_ != nullptr) gauge_->decrement();
  }

 private:
  std::uint32_t* taken_;
  telemetry::Gauge* gauge_;
};

// The tunnels of all chips together, counted by every shard's thread. It outlives its places. Nothing else is read or
// written by its order, so that the number alone is atomic.
class TunnelTally {
 public:
  // One more, unless there are `most` already; 0 is no limit. It is never passed, whoever else asks at the same time;
  // after it was lowered there may be more until enough have gone.
  bool take(std::uint32_t most) {
    auto taken = taken_.load(std::memory_order_relaxed);
    do {
      if (most != 0 && taken >= most) return false;
    } while (!taken_.compare_exchange_weak(taken, taken + 1, std::memory_order_relaxed));
    return true;
  }
  void give_back() { taken_.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint32_t> taken_{0};
};

// A tunnel's place among those of its chip and among those of all chips.
class TunnelPlace {
 public:
  // `all` has counted it already.
  TunnelPlace(std::uint32_t& of_chip, TunnelTally& all) : of_chip_(of_chip, nullptr), all_(&all) {}
  TunnelPlace(TunnelPlace&& other) noexcept
      : of_chip_(std::move(other.of_chip_)), all_(std::exchange(other.all_, nullptr)) {}
  TunnelPlace& operator=(TunnelPlace&&) = delete;
  ~TunnelPlace() {
    if (all_ != nullptr) all_->give_back();
  }

 private:
  Place of_chip_;
  TunnelTally* all_;
};

}  // namespace chipgate::proxy
