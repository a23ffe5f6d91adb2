// SqliteLedger: the ledger on one file of SQLite.
#pragma once

#include "chipgate/ledger/ledger.hpp"
#include "lock_file.hpp"
#include "writer.hpp"

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

namespace chipgate::ledger {

// Made by open_ledger. The members end from last to first: nobody reads any more, then what is queued is committed, the
// connection that writes is the last to close and so empties SQLite's log, and then the lock is given up.
class SqliteLedger final : public Ledger {
 public:
  struct Parts {
    LedgerOptions options;
    std::string ledger_id;
    WallTime last_written;
    LockFile lock;
    Database writing;
    Database reading;
  };
  SqliteLedger(Parts, boost::asio::io_context& control);
  ~SqliteLedger() override;

  net::Task<Result<PutChipAnswer>> put_chip(ChipRow) override;
  net::Task<Result<bool>> arm(ChipId, Arming) override;
  net::Task<Result<void>> delete_chip(ChipId, WallTime at) override;
  net::Task<Result<Issued>> issue(Issue) override;
  net::Task<Result<void>> settle(SessionIdentifier, IdentifierOutcome, std::optional<IpAddress> observed) override;
  net::Task<Result<Taken>> take(Take) override;
  net::Task<Result<void>> closing(AssignmentId, WallTime at, std::string reason) override;
  net::Task<Result<void>> close(Close) override;
  net::Task<Result<void>> swap(Swap) override;
  net::Task<Result<void>> verified(AssignmentId, WallTime at) override;
  net::Task<Result<void>> observe(Observe) override;
  net::Task<Result<void>> postpone_quarantines(Milliseconds by, WallTime ended_before) override;
  net::Task<Result<void>> deny(DeniedExit) override;
  net::Task<Result<bool>> allow(IpAddress) override;
  net::Task<Result<void>> add_traffic(std::vector<TrafficRow>) override;
  net::Task<Result<EventRow>> append(EventRow) override;
  net::Task<Result<void>> retain(Retention) override;
  net::Task<Result<std::vector<HistoryRow>>> assignments(AssignmentFilter) override;
  net::Task<Result<std::vector<EventRow>>> events(EventFilter) override;
  net::Task<Result<std::vector<TrafficRow>>> traffic(std::optional<ChipId>, std::string from_day,
                                                     std::string to_day) override;
  net::Task<Result<std::vector<DeniedExit>>> denied() override;
  bool writable() const override { return writer_->writable(); }
  Writes writes() const override { return writer_->writes(); }

 private:
  template <class T>
  net::Task<Result<T>> write(std::function<Result<T>(Writing&)> operation);
  template <class T>
  net::Task<Result<T>> read(std::function<Result<T>(Transaction&)> question);
  void answer_reads(const Worker<Job<Transaction>>::Jobs&);
  void remember_end();

  boost::asio::io_context& control_;
  const std::string ledger_id_;
  LockFile lock_;
  Database writing_;
  Database reading_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Worker<Job<Transaction>>> reader_;
};

}  // namespace chipgate::ledger
