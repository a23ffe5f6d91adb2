// Beginning, failing, committing.
#include "transaction.hpp"

namespace chipgate::ledger {

// IMMEDIATE takes the lock for writing at once: a transaction that only finds out at its first write that another one
// is ahead could not be repeated from the start.
Transaction::Transaction(Database& database, Mode mode) : database_(database) {
  auto done = database_.run(mode == Mode::write ? "BEGIN IMMEDIATE" : "BEGIN");
  begun_ = done.has_value();
  if (!begun_) failure_ = done.error();
}

Transaction::~Transaction() {
  // After some errors, a full disk among them, SQLite has rolled back by itself.
  if (database_.in_transaction()) static_cast<void>(database_.run("ROLLBACK"));
  if (failure_) database_.forget_pages();
}

Rows Transaction::run(std::string_view sql, std::initializer_list<Value> values) {
  return run(sql, std::span(values.begin(), values.size()));
}

Rows Transaction::run(std::string_view sql, std::span<const Value> values) {
  if (failure_) return {};
  auto rows = database_.run(sql, values);
  if (rows.has_value()) return std::move(*rows);
  failure_ = rows.error();
  return {};
}

std::optional<Row> Transaction::row(std::string_view sql, std::initializer_list<Value> values) {
  auto rows = run(sql, values);
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

void Transaction::run_all(const std::string& sql) {
  if (failure_) return;
  if (auto done = database_.run_all(sql); done.has_error()) failure_ = done.error();
}

void Transaction::fail(std::string detail) {
  if (!failure_) failure_ = Error{ErrorKind::ledger_unavailable, std::move(detail)};
}

Result<void> Transaction::commit() {
  run("COMMIT");
  if (failure_) return *failure_;
  return Result<void>();
}

Savepoint::Savepoint(Transaction& in) : in_(in) { in_.run("SAVEPOINT part"); }

Savepoint::~Savepoint() {
  if (!kept_) in_.run("ROLLBACK TO SAVEPOINT part");
  in_.run("RELEASE SAVEPOINT part");
}

void Savepoint::keep() { kept_ = true; }

}  // namespace chipgate::ledger
