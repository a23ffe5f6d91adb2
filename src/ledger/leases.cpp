// Leases and quarantines.
#include "leases.hpp"

#include "prefix.hpp"

#include <algorithm>
#include <map>

namespace chipgate::ledger {
namespace {

// The addresses that a chip must not get next: those of its last assignment that clients used, and the last one of each
// family that it was seen to have moved to. However long ago that was.
std::vector<IpAddress> last_exits(Transaction& sql, const ChipId& chip) {
  std::vector<IpAddress> exits;
  const auto add = [&](const std::optional<Row>& row, std::size_t column) {
    if (!row || row->null(column)) return;
    if (const auto address = row->address(column)) {
      exits.push_back(*address);
    } else {
      sql.fail("an address of chip " + chip.value() + " is malformed");
    }
  };
  const auto closed = sql.row(
      "SELECT exit_v4, exit_v6 FROM assignments WHERE chip_id = $1 AND state = 'closed' AND opened_at IS NOT NULL "
      "ORDER BY id DESC LIMIT 1",
      {chip});
  add(closed, 0);
  add(closed, 1);
  for (const int moved_family : {4, 6}) {
    add(sql.row("SELECT address FROM observations WHERE chip_id = $1 AND moved = 1 AND family = $2 "
                "ORDER BY id DESC LIMIT 1",
                {chip, moved_family}),
        0);
  }
  return exits;
}

bool is_own_last(Writing& in, const ChipId& chip, const IpAddress& address) {
  const auto prefix = prefix_of(address, in.options);
  return std::ranges::any_of(last_exits(in.sql, chip),
                             [&](const IpAddress& last) { return prefix_of(last, in.options) == prefix; });
}

// Right after the upsert gave no row, in the same transaction, so that nothing has changed meanwhile.
Refused reason(Transaction& sql, const IpAddress& address, const std::string& prefix) {
  const auto held = sql.row("SELECT chip_id, assignment_id, held_until FROM exit_leases WHERE prefix = $1", {prefix});
  if (held && !held->null(1)) return {LeaseRefusal::in_use, address, held->text(0), {}};
  if (const auto denied = sql.row("SELECT chip_id FROM denied_exits WHERE prefix = $1 ORDER BY at", {prefix})) {
    return {LeaseRefusal::denied, address, denied->text(0), {}};
  }
  if (!held) return {LeaseRefusal::quarantined, address, {}, {}};
  return {LeaseRefusal::quarantined, address, held->text(0), held->optional_time(2)};
}

struct Lease {
  std::string prefix;
  IpAddress address;
  std::string chip;
  std::optional<AssignmentId> assignment{};
  std::optional<WallTime> held_until{};
};

std::vector<Lease> all_leases(Transaction& sql, const LedgerOptions& options) {
  std::vector<Lease> leases;
  for (const auto& row : sql.run("SELECT address, chip_id, assignment_id, held_until FROM exit_leases")) {
    const auto address = row.address(0);
    if (!address) {
      sql.fail("the address of a lease is malformed");
      return {};
    }
    Lease lease{prefix_of(*address, options), *address, row.text(1), {}, row.optional_time(3)};
    if (!row.null(2)) lease.assignment = AssignmentId(row.number(2));
    leases.push_back(std::move(lease));
  }
  return leases;
}

// Two leases that fall together: a live one stands, and of two quarantines the longer one, for both.
Lease merged(const Lease& one, const Lease& other) {
  if (one.assignment) return one;
  if (other.assignment) return other;
  Lease longer = one.held_until > other.held_until ? one : other;
  if (one.chip != other.chip) longer.chip.clear();
  return longer;
}

std::map<std::string, Lease> by_prefix(Transaction& sql, const LedgerOptions& options) {
  std::map<std::string, Lease> kept;
  std::string collisions;
  for (const auto& lease : all_leases(sql, options)) {
    const auto [place, fresh] = kept.try_emplace(lease.prefix, lease);
    if (fresh) continue;
    if (place->second.assignment && lease.assignment) {
      collisions +=
          (collisions.empty() ? "" : ", ") + place->second.chip + " and " + lease.chip + " on " + lease.prefix;
    }
    place->second = merged(place->second, lease);
  }
  if (!collisions.empty()) {
    sql.fail("with the new prefix length these chips would share an exit: " + collisions +
             "; release one of each first, or keep the old length");
  }
  return kept;
}

}  // namespace

// The one statement that decides: it inserts where the prefix is free, takes over what nobody lives on, and its row is
// the verdict.
std::optional<Refused> lease(Writing& in, const Take& take, AssignmentId assignment, const IpAddress& address) {
  const auto& row = take.row;
  const auto prefix = prefix_of(address, in.options);
  const bool own_last = is_own_last(in, row.chip, address);
  const auto got = in.sql.row(
      "INSERT INTO exit_leases (prefix, family, address, chip_id, assignment_id, held_until) "
      "SELECT $1, CAST($2 AS BIGINT), $3, $4, CAST($5 AS BIGINT), NULL "
      "WHERE CAST($8 AS BIGINT) = 0 AND NOT EXISTS (SELECT 1 FROM denied_exits WHERE prefix = $1) "
      "ON CONFLICT (prefix) DO UPDATE SET address = excluded.address, chip_id = excluded.chip_id, "
      "assignment_id = excluded.assignment_id, held_until = NULL "
      "WHERE exit_leases.assignment_id IS NULL AND (exit_leases.chip_id = excluded.chip_id "
      "OR exit_leases.held_until <= $6 OR CAST($7 AS BIGINT) = 1) RETURNING prefix",
      {prefix, family(address), address, row.chip, assignment, in.clock.at(row.assigned_at),
       take.quarantine == Quarantine::overridden ? 1 : 0, own_last ? 1 : 0});
  if (got) return std::nullopt;
  auto refused = reason(in.sql, address, prefix);
  // Quarantine is the least of the reasons: it is the one that may be overridden, and it passes.
  if (own_last && refused.why == LeaseRefusal::quarantined) {
    return Refused{LeaseRefusal::own_last, address, row.chip.value(), {}};
  }
  return refused;
}

void release_leases(Writing& in, AssignmentId assignment, WallTime at) {
  in.sql.run("UPDATE exit_leases SET assignment_id = NULL, held_until = $2 WHERE assignment_id = $1",
             {assignment, at + in.options.quarantine});
}

// A chip may have its own address again although it is in quarantine. Where two chips have left the same one, it is
// kept from both: nobody's id stands there.
void quarantine(Writing& in, const ChipId& chip, const IpAddress& address, WallTime at) {
  in.sql.run(
      "INSERT INTO exit_leases (prefix, family, address, chip_id, assignment_id, held_until) "
      "VALUES ($1, $2, $3, $4, NULL, $5) "
      "ON CONFLICT (prefix) DO UPDATE SET address = excluded.address, "
      "chip_id = CASE WHEN exit_leases.chip_id = excluded.chip_id OR exit_leases.held_until <= $6 "
      "THEN excluded.chip_id ELSE '' END, "
      "held_until = CASE WHEN exit_leases.held_until > excluded.held_until THEN exit_leases.held_until "
      "ELSE excluded.held_until END "
      "WHERE exit_leases.assignment_id IS NULL",
      {prefix_of(address, in.options), family(address), address, chip, at + in.options.quarantine, at});
}

Result<void> postpone_quarantines(Writing& in, Milliseconds by, WallTime ended_before) {
  in.sql.run("UPDATE exit_leases SET held_until = held_until + $1 WHERE held_until > $2",
             {std::chrono::microseconds(by).count(), ended_before});
  return {};
}

void rewrite_prefixes(Transaction& sql, const LedgerOptions& options) {
  const auto leases = by_prefix(sql, options);
  sql.run("DELETE FROM exit_leases");
  for (const auto& [prefix, lease] : leases) {
    sql.run(
        "INSERT INTO exit_leases (prefix, family, address, chip_id, assignment_id, held_until) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        {prefix, family(lease.address), lease.address, lease.chip, lease.assignment, lease.held_until});
  }
  for (const auto& row : sql.run("SELECT address FROM denied_exits")) {
    const auto address = row.address(0);
    if (!address) return sql.fail("a denied address is malformed");
    sql.run("UPDATE denied_exits SET prefix = $2 WHERE address = $1", {*address, prefix_of(*address, options)});
  }
  sql.run("UPDATE ledger SET prefix_v4 = $1, prefix_v6 = $2", {options.prefix_v4, options.prefix_v6});
}

}  // namespace chipgate::ledger
