// The only file that calls SQLite.
#include "database.hpp"

#include <sqlite3.h>
#include <stdexcept>
#include <string>

namespace chipgate::ledger {
namespace {

// Nobody else should have the database open; somebody who looks at it with a tool of their own is waited for this long.
constexpr int busy_timeout_ms = 250;

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using StatementPtr = std::unique_ptr<sqlite3_stmt, Finalize>;

int bind(sqlite3_stmt* statement, int index, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value.held())) {
    return sqlite3_bind_int64(statement, index, *number);
  }
  if (const auto* text = std::get_if<std::string>(&value.held())) {
    return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  return sqlite3_bind_null(statement, index);
}

Value column(sqlite3_stmt* statement, int index) {
  switch (sqlite3_column_type(statement, index)) {
    case SQLITE_INTEGER: return Value(std::int64_t{sqlite3_column_int64(statement, index)});
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, index));
      return Value(std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, index))));
    }
    default: return Value();
  }
}

Row row(sqlite3_stmt* statement) {
  std::vector<Value> columns;
  const int count = sqlite3_column_count(statement);
  columns.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) columns.push_back(column(statement, i));
  return Row(std::move(columns));
}

// foreign_keys is off in SQLite unless it is asked for; cell_size_check finds damage where it is, not where it leads.
constexpr const char* settings = R"(
  PRAGMA foreign_keys = ON;
  PRAGMA cell_size_check = ON;
  PRAGMA trusted_schema = OFF;
  PRAGMA synchronous = FULL;)";

}  // namespace

void Database::Closing::operator()(sqlite3* connection) const { sqlite3_close(connection); }

Result<Database> Database::open(const std::filesystem::path& path, Access access) {
  const int flags = (access == Access::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Database database(raw);
  if (code != SQLITE_OK) return database.failure(code);
  sqlite3_busy_timeout(raw, busy_timeout_ms);
  if (auto done = database.run_all(settings); done.has_error()) return done.error();
  return database;
}

Result<Rows> Database::run(std::string_view sql, std::span<const Value> values) {
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  const StatementPtr statement(raw);
  if (code != SQLITE_OK) return failure(code);
  if (static_cast<std::size_t>(sqlite3_bind_parameter_count(raw)) != values.size()) {
    throw std::logic_error("a statement and its values differ in number: " + std::string(sql));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    // To SQLite "$2" is a name, and names are numbered as they first occur.
    const int index = sqlite3_bind_parameter_index(raw, ("$" + std::to_string(i + 1)).c_str());
    code = bind(raw, index, values[i]);
    if (code != SQLITE_OK) return failure(code);
  }
  Rows rows;
  while ((code = sqlite3_step(raw)) == SQLITE_ROW) rows.push_back(row(raw));
  if (code != SQLITE_DONE) return failure(code);
  return rows;
}

Result<void> Database::run_all(const std::string& sql) {
  const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(code);
  return Result<void>();
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(connection_.get()) == 0; }

void Database::forget_pages() { sqlite3_db_release_memory(connection_.get()); }

Error Database::failure(int code) const {
  const char* text = connection_ ? sqlite3_errmsg(connection_.get()) : sqlite3_errstr(code);
  return {ErrorKind::ledger_unavailable, std::string(text) + " (SQLite " + std::to_string(code) + ")"};
}

}  // namespace chipgate::ledger
