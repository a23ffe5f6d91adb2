// Migrations: the ledger's tables, step by numbered step.
#pragma once

#include "database.hpp"

#include <span>
#include <string>

namespace chipgate::ledger {

struct Migration {
  int number;  // from 1, without gaps
  std::string sql;
};

std::span<const Migration> migrations();

// Brings the database to the last of the steps, all in one transaction. It fails where the database is of a newer
// chipgate, or of something else altogether.
Result<void> migrate(Database&, std::span<const Migration>);

}  // namespace chipgate::ledger
