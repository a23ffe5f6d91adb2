// Batches.
#include "writer.hpp"

namespace chipgate::ledger {

Writer::Writer(Database& database, LedgerOptions options, WallTime last_written)
    : database_(database),
      options_(std::move(options)),
      clock_(last_written),
      worker_("ledger-writer", [this](const Worker<Write>::Jobs& jobs) { serve(jobs); }) {}

// Whoever asks is the one who adds, so that no more was answered than added.
Writes Writer::writes() const { return {commits_.value(), failures_.value(), added_.value() - answered_.value()}; }

// Answers are given after the commit, never before.
void Writer::serve(const Worker<Write>::Jobs& jobs) {
  const Batch batch(jobs);
  const auto attempt = commit(batch);
  // One operation's failure must not become the others'. Where not even a transaction begins, there is no difference,
  // and each would wait for the lock again.
  if (attempt == Attempt::failed && batch.size() > 1) return one_by_one(batch);
  answer(batch, failure_);
}

void Writer::one_by_one(Batch batch) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto rest = batch.subspan(i);
    if (commit(rest.first(1)) == Attempt::not_begun) return answer(rest, failure_);
    answer(rest.first(1), failure_);
  }
}

Writer::Attempt Writer::commit(Batch batch) {
  LedgerClock clock = clock_;
  {
    Transaction sql(database_, Transaction::Mode::write);
    Writing writing{sql, options_, clock};
    for (const auto& write : batch) {
      if (sql.failure()) break;
      write->run(writing);
    }
    if (clock.last() > clock_.last()) sql.run("UPDATE ledger SET last_written = $1", {clock.last()});
    const auto done = sql.commit();
    writable_.store(done.has_value(), std::memory_order_relaxed);
    failure_ = done.has_error() ? std::optional(done.error()) : std::nullopt;
    (done.has_value() ? commits_ : failures_).increment();
    if (done.has_value()) {
      clock_ = clock;
      return Attempt::committed;
    }
    if (!sql.begun()) return Attempt::not_begun;
  }
  overwrite_remains();
  return Attempt::failed;
}

// A commit whose sync failed has left whole frames in the log, and a process that is killed now would find them when it
// is started again: committed, although the answer said otherwise. The next transaction goes over them, so there is one
// at once. It may fail as the other did; writing over them is enough, reaching the disk is not needed.
void Writer::overwrite_remains() {
  Transaction sql(database_, Transaction::Mode::write);
  sql.run("UPDATE ledger SET overwritten = overwritten + 1");
  static_cast<void>(sql.commit());
}

void Writer::answer(Batch batch, const std::optional<Error>& failure) {
  for (const auto& write : batch) {
    // Before its answer, so that whoever has that finds nothing queued.
    answered_.increment();
    write->answer(failure);
  }
}

}  // namespace chipgate::ledger
