// Operations on their way to the threads.
#include "sqlite_ledger.hpp"

#include "history.hpp"

#include <boost/asio/async_result.hpp>

namespace chipgate::ledger {
namespace {

// Suspends until the job has been answered.
template <class T, class Context, class Queue>
net::Task<Result<T>> ask(std::function<Result<T>(Context&)> operation, boost::asio::io_context& control, Queue& queue) {
  using Token = const boost::asio::use_awaitable_t<boost::asio::io_context::executor_type>;
  co_return co_await boost::asio::async_initiate<Token, void(Result<T>)>(
      [&control, &queue, asked = std::move(operation)](auto handler) mutable {
        queue.add(std::make_unique<Asked<Context, T>>(std::move(asked), control, std::move(handler)));
      },
      net::use_task);
}

}  // namespace

SqliteLedger::SqliteLedger(Parts parts, boost::asio::io_context& control)
    : control_(control),
      ledger_id_(std::move(parts.ledger_id)),
      lock_(std::move(parts.lock)),
      writing_(std::move(parts.writing)),
      reading_(std::move(parts.reading)),
      writer_(std::make_unique<Writer>(writing_, std::move(parts.options), parts.last_written)),
      reader_(std::make_unique<Worker<Job<Transaction>>>(
          "ledger-reader", [this](const Worker<Job<Transaction>>::Jobs& jobs) { answer_reads(jobs); })) {}

SqliteLedger::~SqliteLedger() {
  reader_.reset();
  writer_.reset();
  remember_end();
}

// So that the next start can tell whether it has found the ledger that was left here.
void SqliteLedger::remember_end() {
  Transaction in(writing_, Transaction::Mode::read);
  const auto row = in.row("SELECT last_written, (SELECT COUNT(*) FROM assignments) FROM ledger");
  if (row) lock_.remember({ledger_id_, row->count(1), row->time(0)});
}

void SqliteLedger::answer_reads(const Worker<Job<Transaction>>::Jobs& jobs) {
  for (const auto& job : jobs) {
    std::optional<Error> failure;
    {
      Transaction in(reading_, Transaction::Mode::read);
      job->run(in);
      const auto done = in.commit();
      if (done.has_error()) failure = done.error();
    }
    job->answer(failure);
  }
}

template <class T>
net::Task<Result<T>> SqliteLedger::write(std::function<Result<T>(Writing&)> operation) {
  return ask<T>(std::move(operation), control_, *writer_);
}

template <class T>
net::Task<Result<T>> SqliteLedger::read(std::function<Result<T>(Transaction&)> question) {
  return ask<T>(std::move(question), control_, *reader_);
}

net::Task<Result<PutChipAnswer>> SqliteLedger::put_chip(ChipRow row) {
  return write<PutChipAnswer>([row = std::move(row)](Writing& in) { return ledger::put_chip(in, row); });
}

net::Task<Result<bool>> SqliteLedger::arm(ChipId chip, Arming arming) {
  return write<bool>([chip = std::move(chip), arming](Writing& in) { return ledger::arm(in, chip, arming); });
}

net::Task<Result<void>> SqliteLedger::delete_chip(ChipId chip, WallTime at) {
  return write<void>([chip = std::move(chip), at](Writing& in) { return ledger::delete_chip(in, chip, at); });
}

net::Task<Result<Issued>> SqliteLedger::issue(Issue issue) {
  return write<Issued>([issue = std::move(issue)](Writing& in) { return ledger::issue(in, issue); });
}

net::Task<Result<void>> SqliteLedger::settle(SessionIdentifier session, IdentifierOutcome outcome,
                                             std::optional<IpAddress> observed) {
  return write<void>([session = std::move(session), outcome, observed](Writing& in) {
    return ledger::settle(in, session, outcome, observed);
  });
}

net::Task<Result<Taken>> SqliteLedger::take(Take take) {
  return write<Taken>([take = std::move(take)](Writing& in) { return ledger::take(in, take); });
}

net::Task<Result<void>> SqliteLedger::closing(AssignmentId assignment, WallTime at, std::string reason) {
  return write<void>([assignment, at, reason = std::move(reason)](Writing& in) {
    return ledger::closing(in, assignment, at, reason);
  });
}

net::Task<Result<void>> SqliteLedger::close(Close close) {
  return write<void>([close = std::move(close)](Writing& in) { return ledger::close(in, close); });
}

net::Task<Result<void>> SqliteLedger::swap(Swap swap) {
  return write<void>([swap = std::move(swap)](Writing& in) { return ledger::swap(in, swap); });
}

net::Task<Result<void>> SqliteLedger::verified(AssignmentId assignment, WallTime at) {
  return write<void>([assignment, at](Writing& in) { return ledger::verified(in, assignment, at); });
}

net::Task<Result<void>> SqliteLedger::observe(Observe observe) {
  return write<void>([observe = std::move(observe)](Writing& in) { return ledger::observe(in, observe); });
}

net::Task<Result<void>> SqliteLedger::postpone_quarantines(Milliseconds by, WallTime ended_before) {
  return write<void>([by, ended_before](Writing& in) { return ledger::postpone_quarantines(in, by, ended_before); });
}

net::Task<Result<void>> SqliteLedger::deny(DeniedExit exit) {
  return write<void>([exit = std::move(exit)](Writing& in) { return ledger::deny(in, exit); });
}

net::Task<Result<bool>> SqliteLedger::allow(IpAddress address) {
  return write<bool>([address](Writing& in) { return ledger::allow(in, address); });
}

net::Task<Result<void>> SqliteLedger::add_traffic(std::vector<TrafficRow> rows) {
  return write<void>([rows = std::move(rows)](Writing& in) { return ledger::add_traffic(in, rows); });
}

net::Task<Result<EventRow>> SqliteLedger::append(EventRow event) {
  return write<EventRow>([event = std::move(event)](Writing& in) { return ledger::append(in, event); });
}

net::Task<Result<void>> SqliteLedger::retain(Retention retention) {
  return write<void>([retention](Writing& in) { return ledger::retain(in, retention); });
}

net::Task<Result<std::vector<HistoryRow>>> SqliteLedger::assignments(AssignmentFilter filter) {
  return read<std::vector<HistoryRow>>(
      [filter = std::move(filter)](Transaction& in) { return ledger::assignments(in, filter); });
}

net::Task<Result<std::vector<EventRow>>> SqliteLedger::events(EventFilter filter) {
  return read<std::vector<EventRow>>(
      [filter = std::move(filter)](Transaction& in) { return ledger::events(in, filter); });
}

net::Task<Result<std::vector<TrafficRow>>> SqliteLedger::traffic(std::optional<ChipId> chip, std::string from_day,
                                                                 std::string to_day) {
  return read<std::vector<TrafficRow>>(
      [chip = std::move(chip), from_day = std::move(from_day), to_day = std::move(to_day)](Transaction& in) {
        return ledger::traffic(in, chip, from_day, to_day);
      });
}

net::Task<Result<std::vector<DeniedExit>>> SqliteLedger::denied() {
  return read<std::vector<DeniedExit>>([](Transaction& in) { return ledger::denied(in); });
}

}  // namespace chipgate::ledger
