// Which steps are missing, and taking them.
#include "migrations.hpp"

#include "transaction.hpp"

namespace chipgate::ledger {
namespace {

// The list of tables is the one thing that every database keeps in a place of its own.
constexpr std::string_view any_table =
    "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY CASE WHEN name = 'schema_versions' THEN 0 ELSE 1 END";

// The number of the last step taken, 0 for a new database.
std::int64_t version(Transaction& in) {
  const auto table = in.row(any_table);
  if (!table) {
    in.run("CREATE TABLE schema_versions (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)");
    return 0;
  }
  if (table->text(0) != "schema_versions") {
    in.fail("it is a database of something else: it has a table " + table->text(0));
    return 0;
  }
  const auto row = in.row("SELECT COALESCE(MAX(version), 0) FROM schema_versions");
  return row ? row->number(0) : 0;
}

}  // namespace

Result<void> migrate(Database& database, std::span<const Migration> steps) {
  Transaction in(database, Transaction::Mode::write);
  const auto reached = version(in);
  if (!steps.empty() && reached > steps.back().number) {
    in.fail("it was written by a newer chipgate: its schema is " + std::to_string(reached) + ", and this one knows " +
            std::to_string(steps.back().number));
  }
  for (const auto& step : steps) {
    if (step.number <= reached) continue;
    in.run_all(step.sql);
    in.run("INSERT INTO schema_versions (version, applied_at) VALUES ($1, $2)",
           {step.number, std::chrono::system_clock::now()});
  }
  return in.commit();
}

}  // namespace chipgate::ledger
