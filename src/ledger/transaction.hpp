// Transaction: statements that count together or not at all.
#pragma once

#include "database.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace chipgate::ledger {

// The first failure sticks: later statements are not run and give no rows, and commit answers with it. So what is
// decided on the way is only worth something once commit has succeeded. What was not committed is rolled back.
class Transaction {
 public:
  enum class Mode : std::uint8_t { read, write };

  Transaction(Database&, Mode);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  Rows run(std::string_view sql, std::initializer_list<Value> values = {});
  Rows run(std::string_view sql, std::span<const Value> values);
  // The first row, where there is one.
  std::optional<Row> row(std::string_view sql, std::initializer_list<Value> values = {});
  void run_all(const std::string& sql);

  // For what SQL cannot see: a row that makes no sense.
  void fail(std::string detail);
  const std::optional<Error>& failure() const { return failure_; }
  // Whether it has begun: where it has not, running its statements again has no better chance.
  bool begun() const { return begun_; }

  Result<void> commit();

 private:
  Database& database_;
  bool begun_ = false;
  std::optional<Error> failure_;
};

// A part of a transaction that is taken back unless it is kept.
class Savepoint {
 public:
  explicit Savepoint(Transaction&);
  Savepoint(const Savepoint&) = delete;
  Savepoint& operator=(const Savepoint&) = delete;
  ~Savepoint();
  void keep();

 private:
  Transaction& in_;
  bool kept_ = false;
};

}  // namespace chipgate::ledger
