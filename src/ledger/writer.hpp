// Writer: commits what is queued, all of it in one transaction.
#pragma once

#include "asked.hpp"
#include "chipgate/telemetry/counter.hpp"
#include "worker.hpp"
#include "writing.hpp"

#include <atomic>
#include <memory>
#include <span>

namespace chipgate::ledger {

// Belongs to the control thread. The database is the writer's own thread's until the writer is destroyed, which ends
// with the last queued commit.
class Writer {
 public:
  using Write = Job<Writing>;

  Writer(Database&, LedgerOptions, WallTime last_written);

  void add(std::unique_ptr<Write> write) {
    added_.increment();
    worker_.add(std::move(write));
  }
  bool writable() const { return writable_.load(std::memory_order_relaxed); }
  Writes writes() const;

 private:
  using Batch = std::span<const std::unique_ptr<Write>>;
  enum class Attempt : std::uint8_t { committed, failed, not_begun };

  void serve(const Worker<Write>::Jobs&);
  Attempt commit(Batch);
  void one_by_one(Batch);
  void overwrite_remains();
  void answer(Batch, const std::optional<Error>&);

  Database& database_;
  const LedgerOptions options_;
  LedgerClock clock_;
  std::optional<Error> failure_;  // of the last attempt
  std::atomic<bool> writable_{true};
  telemetry::Counter added_;  // by the control thread; the others by the writer's own
  telemetry::Counter answered_;
  telemetry::Counter commits_;
  telemetry::Counter failures_;
  Worker<Write> worker_;  // last: its thread uses all of the above
};

}  // namespace chipgate::ledger
