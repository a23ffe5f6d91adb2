// Numbers that one thread writes and the scrape reads.
#pragma once

#include <atomic>
#include <cstdint>

namespace chipgate::telemetry {

// Only ever grows, until the process ends. One thread writes; any thread may read. Load and store instead of fetch_add:
// with one writer nothing is lost, TSan sees no race, and it compiles to a plain add without a locked instruction.
template <class Rep>
class BasicCounter {
 public:
  void add(Rep amount) { value_.store(value() + amount, std::memory_order_relaxed); }
  void increment() { add(1); }
  Rep value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Rep> value_{0};
};

using Counter = BasicCounter<std::uint64_t>;
// For what many objects have and nothing does often: 136 years at one a second.
using SmallCounter = BasicCounter<std::uint32_t>;

// Rises and falls. One writer, as above.
class Gauge {
 public:
  void add(std::int64_t amount) { set(value() + amount); }
  void subtract(std::int64_t amount) { set(value() - amount); }
  void increment() { add(1); }
  void decrement() { subtract(1); }
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

}  // namespace chipgate::telemetry
