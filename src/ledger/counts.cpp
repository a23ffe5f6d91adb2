// Traffic, events, and how long history is kept.
#include "writing.hpp"

namespace chipgate::ledger {
namespace {

// The chip's last row and the last that was open, which a reconnect must differ from, stay however old they are; so
// does what a chip moved to last, with its assignment.
constexpr std::string_view last_moves = "SELECT MAX(id) FROM observations WHERE moved = 1 GROUP BY chip_id, family";
std::string removable() {
  return "state = 'closed' AND released_at < $1 "
         "AND id NOT IN (SELECT MAX(id) FROM assignments GROUP BY chip_id) "
         "AND id NOT IN (SELECT MAX(id) FROM assignments WHERE opened_at IS NOT NULL GROUP BY chip_id) "
         "AND id NOT IN (SELECT assignment_id FROM observations WHERE assignment_id IS NOT NULL AND id IN (" +
         std::string(last_moves) + "))";
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
  in.sql.run("DELETE FROM observations WHERE assignment_id IN (SELECT id FROM assignments WHERE " + removable() + ")",
             {retention.assignments_before});
  in.sql.run("DELETE FROM observations WHERE assignment_id IS NULL AND at < $1 AND id NOT IN (" +
                 std::string(last_moves) + ")",
             {retention.assignments_before});
  in.sql.run("DELETE FROM assignments WHERE " + removable(), {retention.assignments_before});
  in.sql.run("DELETE FROM exit_leases WHERE held_until <= $1", {in.clock.last()});
  in.sql.run("DELETE FROM events WHERE at < $1", {retention.events_before});
  in.sql.run("DELETE FROM traffic WHERE day < $1", {rfc3339(retention.traffic_before).substr(0, 10)});
  return {};
}

}  // namespace chipgate::ledger
