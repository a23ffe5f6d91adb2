// An assignment's life in the ledger.
#include "leases.hpp"
#include "words.hpp"
#include "writing.hpp"

namespace chipgate::ledger {
namespace {

Error broken_order(std::string detail) { return {ErrorKind::ledger_unavailable, std::move(detail)}; }

bool issued_for(Transaction& sql, const AssignmentRow& row) {
  return sql
      .row("SELECT 1 FROM identifiers WHERE value = $1 AND wire = $2 AND chip_id = $3",
           {row.session, row.wire, row.chip})
      .has_value();
}

// 0 stays 0: an exit that nobody has looked at was not verified when it was assigned.
Value verified_time(Writing& in, WallTime time) { return time == WallTime{} ? Value(0) : Value(in.clock.at(time)); }

std::optional<AssignmentId> insert(Writing& in, const AssignmentRow& row) {
  const auto at = in.clock.at(row.assigned_at);
  const auto opened_at = row.state == AssignmentState::open ? std::optional(at) : std::nullopt;
  const auto made = in.sql.row(
      "INSERT INTO assignments (chip_id, session_identifier, wire_session, provider, endpoint, credentials_digest, "
      "instance, state, exit_v4, exit_v6, assigned_at, opened_at, verified_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING RETURNING id",
      {row.chip, row.session, row.wire, row.provider, row.endpoint, row.credentials_digest, row.instance,
       word(states, row.state), row.exits.v4, row.exits.v6, at, opened_at, verified_time(in, row.verified_at)});
  if (!made) return std::nullopt;
  return AssignmentId(made->number(0));
}

// Why there is no room for the row. Who asks for that has lost count of the chip's assignments.
Error conflict(Transaction& sql, const AssignmentRow& row) {
  const auto live =
      sql.row("SELECT id FROM assignments WHERE chip_id = $1 AND state = $2", {row.chip, word(states, row.state)});
  if (!live) return broken_order("session " + row.session.value() + " has an assignment already");
  return broken_order("chip " + row.chip.value() + " has assignment " + std::to_string(live->number(0)) + ", " +
                      std::string(word(states, row.state)) + " already");
}

void opened(Writing& in, const SessionIdentifier& session, const Exits& exits) {
  in.sql.run("UPDATE identifiers SET outcome = 'opened', observed = $2 WHERE value = $1",
             {session, exits.v4 ? exits.v4 : exits.v6});
}

}  // namespace

Result<Taken> take(Writing& in, const Take& take) {
  const auto& row = take.row;
  if (row.state == AssignmentState::closed) return broken_order("a closed assignment cannot be taken");
  if (!issued_for(in.sql, row)) return broken_order("session " + row.session.value() + " was not issued to its chip");
  Savepoint part(in.sql);
  const auto id = insert(in, row);
  if (!id) return conflict(in.sql, row);
  for (const auto& address : {row.exits.v4, row.exits.v6}) {
    if (!address) continue;
    if (auto refused = lease(in, take, *id, *address)) return Taken(std::move(*refused));
  }
  if (row.state == AssignmentState::open) opened(in, row.session, row.exits);
  part.keep();
  return Taken(*id);
}

Result<void> closing(Writing& in, AssignmentId assignment, WallTime at, const std::string& reason) {
  in.sql.run(
      "UPDATE assignments SET closing_at = $2, release_reason = $3 "
      "WHERE id = $1 AND state <> 'closed' AND closing_at IS NULL",
      {assignment, in.clock.at(at), reason});
  return {};
}

// The reason that `closing` wrote stands where the close brings none. What was abandoned was never admitted, so that it
// is no exit that the chip has had.
Result<void> close(Writing& in, const Close& close) {
  const auto at = in.clock.at(close.at);
  const auto closed = in.sql.row(
      "UPDATE assignments SET state = 'closed', released_at = $2, "
      "release_reason = CASE WHEN CAST($3 AS TEXT) = '' THEN release_reason ELSE $3 END, "
      "opened_at = CASE WHEN CAST($3 AS TEXT) = 'abandoned' THEN NULL ELSE opened_at END, "
      "exposure_ms = $4, bytes_up = $5, bytes_down = $6 WHERE id = $1 AND state <> 'closed' RETURNING id",
      {close.assignment, at, close.reason, close.exposure, close.traffic.up, close.traffic.down});
  if (closed) release_leases(in, close.assignment, at);
  return {};
}

Result<void> swap(Writing& in, const Swap& swap) {
  const auto next = in.sql.row(
      "SELECT chip_id, session_identifier, exit_v4, exit_v6 FROM assignments WHERE id = $1 AND state = 'pending'",
      {swap.pending});
  if (!next) return broken_order("assignment " + std::to_string(swap.pending.value()) + " is not pending");
  const auto other = in.sql.row("SELECT id FROM assignments WHERE chip_id = $1 AND state = 'open' AND id <> $2",
                                {next->text(0), swap.old.assignment});
  if (other) return broken_order("chip " + next->text(0) + " has another open assignment");
  if (auto done = close(in, swap.old); done.has_error()) return done.error();
  in.sql.run("UPDATE assignments SET state = 'open', opened_at = $2 WHERE id = $1",
             {swap.pending, in.clock.at(swap.old.at)});
  opened(in, SessionIdentifier(next->text(1)), Exits{next->address(2), next->address(3)});
  return {};
}

Result<void> verified(Writing& in, AssignmentId assignment, WallTime at) {
  in.sql.run("UPDATE assignments SET verified_at = $2 WHERE id = $1 AND state <> 'closed'",
             {assignment, in.clock.at(at)});
  return {};
}

}  // namespace chipgate::ledger
