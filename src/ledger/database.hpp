// Database: one SQLite connection, used by one thread at a time.
#pragma once

#include "chipgate/base/result.hpp"
#include "value.hpp"

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

struct sqlite3;

namespace chipgate::ledger {

enum class Access : std::uint8_t { read_only, read_write };

// All errors are ledger_unavailable, with what SQLite says about it.
class Database {
 public:
  // The file must exist.
  static Result<Database> open(const std::filesystem::path&, Access);

  // Runs one statement to its end; nothing of it stays open. Placeholders are $1, $2, ... as PostgreSQL has them.
  Result<Rows> run(std::string_view sql, std::span<const Value> values = {});
  // Several statements without values.
  Result<void> run_all(const std::string& sql);

  bool in_transaction() const;
  // Gives back what pages it remembers, so that one that was damaged and is repaired is read again.
  void forget_pages();

 private:
  struct Closing {
    void operator()(sqlite3*) const;
  };
  explicit Database(sqlite3* connection) : connection_(connection) {}
  Error failure(int code) const;

  std::unique_ptr<sqlite3, Closing> connection_;
};

}  // namespace chipgate::ledger
