// The first look at the ledger.
#include "restore.hpp"

#include "leases.hpp"
#include "reading.hpp"

#include <algorithm>
#include <random>

namespace chipgate::ledger {
namespace {

std::string random_id() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 32; ++i) id += "0123456789abcdef"[random() % 16];
  return id;
}

constexpr auto recently = std::chrono::hours(1);

std::uint64_t count(Transaction& in, std::string_view sql, std::initializer_list<Value> values = {}) {
  const auto row = in.row(sql, values);
  return row ? row->count(0) : 0;
}

}  // namespace

void settle_in(Transaction& in, const LedgerOptions& options, WallTime now) {
  in.run(
      "INSERT INTO ledger (one, id, created_at, last_written, prefix_v4, prefix_v6) VALUES (1, $1, $2, $2, $3, $4) "
      "ON CONFLICT DO NOTHING",
      {random_id(), now, options.prefix_v4, options.prefix_v6});
  const auto row = in.row("SELECT prefix_v4, prefix_v6 FROM ledger");
  if (!row || (row->number(0) == options.prefix_v4 && row->number(1) == options.prefix_v6)) return;
  rewrite_prefixes(in, options);
}

Restored restore(Transaction& in, WallTime now) {
  Restored found;
  if (const auto row = in.row("SELECT id, created_at, last_written FROM ledger")) {
    found.ledger_id = row->text(0);
    found.created_at = row->time(1);
    found.last_written = row->time(2);
  } else {
    in.fail("it has lost its own row");
  }
  now = std::max(now, found.last_written);
  for (const auto& row :
       in.run("SELECT " + std::string(chip_columns) + " FROM chips WHERE deleted_at IS NULL ORDER BY number")) {
    if (auto chip = chip_row(in, row)) found.chips.push_back(std::move(*chip));
  }
  for (const auto& row :
       in.run("SELECT " + std::string(assignment_columns) + " FROM assignments WHERE state <> 'closed' ORDER BY id")) {
    if (auto assignment = assignment_row(in, row)) found.live.push_back(std::move(*assignment));
  }
  for (const auto& row :
       in.run("SELECT chip_id, assigned_at FROM assignments WHERE assigned_at > $1 ORDER BY id", {now - recently})) {
    if (const auto chip = row.chip(0)) found.recent_draws[*chip].push_back(row.time(1));
  }
  found.quarantined = count(in, "SELECT COUNT(*) FROM exit_leases WHERE held_until > $1", {now});
  found.assignments = count(in, "SELECT COUNT(*) FROM assignments");
  return found;
}

}  // namespace chipgate::ledger
