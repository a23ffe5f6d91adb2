// Traffic, events, and how long history is kept.
#include "writing.hpp"

namespace chipgate::ledger {
namespace {

// Other writes wait for this one, draws and releases among them: a great backlog goes bit by bit.
constexpr int assignments_at_a_time = 2'000;
constexpr int events_at_a_time = 10'000;

// The chip's last row and the last that was open, which a reconnect must differ from, stay however old they are; so
// does what a chip moved to last, with its assignment.
constexpr std::string_view removable =
    "SELECT old.id FROM assignments old WHERE old.state = 'closed' AND old.released_at < $1 "
    "AND EXISTS (SELECT 1 FROM assignments later WHERE later.chip_id = old.chip_id AND later.id > old.id) "
    "AND (old.opened_at IS NULL OR EXISTS (SELECT 1 FROM assignments later WHERE later.chip_id = old.chip_id "
    "AND later.id > old.id AND later.opened_at IS NOT NULL)) "
    "AND NOT EXISTS (SELECT 1 FROM observations seen WHERE seen.assignment_id = old.id AND seen.moved = 1 "
    "AND NOT EXISTS (SELECT 1 FROM observations later WHERE later.chip_id = seen.chip_id "
    "AND later.family = seen.family AND later.moved = 1 AND later.id > seen.id)) "
    "ORDER BY old.id LIMIT $2";

std::string among_removable(std::string_view what) {
  return std::string(what) + " IN (" + std::string(removable) + ")";
}

}  // namespace

Result<void> add_traffic(Writing& in, const std::vector<TrafficRow>& rows) {
  for (const auto& row : rows) {
    in.sql.run(
        "INSERT INTO traffic (chip_id, day, clients_up, clients_down, own_up, own_down) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (chip_id, day) DO UPDATE SET "
        "clients_up = traffic.clients_up + excluded.clients_up, "
        "clients_down = traffic.clients_down + excluded.clients_down, "
        "own_up = traffic.own_up + excluded.own_up, own_down = traffic.own_down + excluded.own_down",
        {row.chip, row.day, row.clients.up, row.clients.down, row.own.up, row.own.down});
  }
  return {};
}

Result<EventRow> append(Writing& in, const EventRow& event) {
  EventRow written = event;
  written.at = in.clock.at(event.at);
  const auto row = in.sql.row("INSERT INTO events (at, type, chip_id, body) VALUES ($1, $2, $3, $4) RETURNING id",
                              {written.at, written.type, written.chip, written.body});
  if (row) written.id = row->number(0);
  return written;
}

Result<void> retain(Writing& in, const Retention& retention) {
  const auto& before = retention.assignments_before;
  in.sql.run("DELETE FROM observations WHERE " + among_removable("assignment_id"), {before, assignments_at_a_time});
  in.sql.run(
      "DELETE FROM observations WHERE assignment_id IS NULL AND at < $1 AND id NOT IN "
      "(SELECT MAX(id) FROM observations WHERE moved = 1 GROUP BY chip_id, family)",
      {before});
  in.sql.run("DELETE FROM assignments WHERE " + among_removable("id"), {before, assignments_at_a_time});
  in.sql.run("DELETE FROM exit_leases WHERE held_until <= $1", {in.clock.last()});
  in.sql.run("DELETE FROM events WHERE id IN (SELECT id FROM events WHERE at < $1 ORDER BY at LIMIT $2)",
             {retention.events_before, events_at_a_time});
  in.sql.run("DELETE FROM traffic WHERE day < $1", {rfc3339(retention.traffic_before).substr(0, 10)});
  return {};
}

}  // namespace chipgate::ledger
