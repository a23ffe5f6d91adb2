// What looks saw, and which exits nobody may have.
#include "leases.hpp"
#include "prefix.hpp"
#include "writing.hpp"

namespace chipgate::ledger {

// An assignment that retention has removed leaves its observation without one.
Result<void> observe(Writing& in, const Observe& observe) {
  const auto& row = observe.row;
  const auto at = in.clock.at(row.at);
  const bool moved = observe.as == Observe::As::move;
  in.sql.run(
      "INSERT INTO observations (assignment_id, chip_id, address, family, moved, at, echo) "
      "VALUES ((SELECT id FROM assignments WHERE id = $1), $2, $3, $4, $5, $6, $7)",
      {row.assignment, row.chip, row.address, family(row.address), moved ? 1 : 0, at, row.echo});
  if (moved) quarantine(in, row.chip, row.address, at);
  return {};
}

Result<void> deny(Writing& in, const DeniedExit& denied) {
  in.sql.run(
      "INSERT INTO denied_exits (address, prefix, at, reason, chip_id) VALUES ($1, $2, $3, $4, $5) "
      "ON CONFLICT (address) DO UPDATE SET at = excluded.at, reason = excluded.reason, chip_id = excluded.chip_id",
      {denied.address, prefix_of(denied.address, in.options), in.clock.at(denied.at), denied.reason, denied.chip});
  return {};
}

Result<bool> allow(Writing& in, const IpAddress& address) {
  return in.sql.row("DELETE FROM denied_exits WHERE address = $1 RETURNING address", {address}).has_value();
}

}  // namespace chipgate::ledger
