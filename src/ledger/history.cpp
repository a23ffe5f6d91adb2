// Who had which address when.
#include "history.hpp"

#include "reading.hpp"

#include <algorithm>

namespace chipgate::ledger {
namespace {

// Conditions and their values, joined as they are wanted.
class Query {
 public:
  // `condition` has its value's place as "?", any number of times.
  void where(std::string_view condition, Value value) {
    values_.push_back(std::move(value));
    sql_ += sql_.empty() ? " WHERE (" : " AND (";
    for (const char c : condition) {
      if (c == '?') {
        sql_ += "$" + std::to_string(values_.size());
      } else {
        sql_ += c;
      }
    }
    sql_ += ")";
  }
  Rows run(Transaction& in, std::string_view select, std::string_view order, std::size_t limit) {
    values_.emplace_back(limit);
    const auto sql =
        std::string(select) + sql_ + " ORDER BY " + std::string(order) + " LIMIT $" + std::to_string(values_.size());
    return in.run(sql, values_);
  }

 private:
  std::string sql_;
  std::vector<Value> values_;
};

constexpr std::size_t no_limit = 1'000'000'000;

std::vector<ObservationRow> observations(Transaction& in, AssignmentId assignment) {
  std::vector<ObservationRow> found;
  const auto rows =
      in.run("SELECT " + std::string(observation_columns) + " FROM observations WHERE assignment_id = $1 ORDER BY id",
             {assignment});
  for (const auto& row : rows) {
    if (auto observation = observation_row(in, row)) found.push_back(std::move(*observation));
  }
  return found;
}

bool own(const AssignmentRow& row, const IpAddress& address) { return row.exits.of_family(address) == address; }

}  // namespace

std::vector<HistoryRow> assignments(Transaction& in, const AssignmentFilter& filter) {
  Query query;
  if (filter.chip) query.where("chip_id = ?", *filter.chip);
  if (filter.exit_ip) {
    query.where("exit_v4 = ? OR exit_v6 = ? OR id IN (SELECT assignment_id FROM observations WHERE address = ?)",
                *filter.exit_ip);
  }
  if (filter.at) query.where("assigned_at <= ? AND (released_at IS NULL OR released_at > ?)", *filter.at);
  if (filter.from) query.where("released_at IS NULL OR released_at > ?", *filter.from);
  if (filter.to) query.where("assigned_at < ?", *filter.to);
  if (filter.before > 0) query.where("id < ?", filter.before);
  std::vector<HistoryRow> history;
  const auto select = "SELECT " + std::string(assignment_columns) + " FROM assignments";
  for (const auto& row : query.run(in, select, "id DESC", filter.limit)) {
    auto assignment = assignment_row(in, row);
    if (!assignment) continue;
    auto seen = observations(in, assignment->id);
    const bool surely = !filter.exit_ip || own(*assignment, *filter.exit_ip);
    history.push_back({std::move(*assignment), surely ? Certainty::surely : Certainty::possibly, std::move(seen)});
  }
  return history;
}

std::vector<EventRow> events(Transaction& in, const EventFilter& filter) {
  Query query;
  query.where("id > ?", filter.after);
  if (filter.chip) query.where("chip_id = ?", *filter.chip);
  const bool newest = filter.end == EventFilter::End::newest;
  std::vector<EventRow> found;
  for (const auto& row :
       query.run(in, "SELECT id, at, type, chip_id, body FROM events", newest ? "id DESC" : "id", filter.limit)) {
    found.push_back({row.number(0), row.time(1), row.text(2), row.chip(3), row.text(4)});
  }
  if (newest) std::ranges::reverse(found);
  return found;
}

std::vector<TrafficRow> traffic(Transaction& in, const std::optional<ChipId>& chip, const std::string& from_day,
                                const std::string& to_day) {
  Query query;
  if (chip) query.where("chip_id = ?", *chip);
  if (!from_day.empty()) query.where("day >= ?", from_day);
  if (!to_day.empty()) query.where("day <= ?", to_day);
  std::vector<TrafficRow> found;
  for (const auto& row : query.run(in, "SELECT chip_id, day, clients_up, clients_down, own_up, own_down FROM traffic",
                                   "day, chip_id", no_limit)) {
    const auto id = row.chip(0);
    if (!id) {
      in.fail("a row of traffic is malformed");
      return {};
    }
    found.push_back({*id, row.text(1), {row.count(2), row.count(3)}, {row.count(4), row.count(5)}});
  }
  return found;
}

std::vector<DeniedExit> denied(Transaction& in) {
  std::vector<DeniedExit> found;
  for (const auto& row : in.run("SELECT address, at, reason, chip_id FROM denied_exits ORDER BY at, address")) {
    const auto address = row.address(0);
    if (!address) {
      in.fail("a denied address is malformed");
      return {};
    }
    found.push_back({*address, row.time(1), row.text(2), row.text(3)});
  }
  return found;
}

}  // namespace chipgate::ledger
