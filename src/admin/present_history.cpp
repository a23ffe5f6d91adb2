// JSON of what was: assignments, events, denied exits.
#include "present.hpp"

#include <array>
#include <boost/json/parse.hpp>

namespace chipgate::admin {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 3> assignment_states{"pending", "open", "closed"};

json::value or_null(const std::string& text) { return text.empty() ? json::value() : json::value(text); }

json::array exits_of(const ledger::Exits& exits) {
  json::array made;
  for (const auto& exit : {exits.v4, exits.v6}) {
    if (exit) made.emplace_back(exit->text());
  }
  return made;
}

}  // namespace

json::object present(const ledger::HistoryRow& history) {
  const auto& row = history.row;
  json::object made;
  made["id"] = row.id.value();
  made["chip"] = row.chip.value();
  made["session_identifier"] = row.session.value();
  made["provider"] = row.provider;
  made["endpoint"] = row.endpoint;
  made["state"] = assignment_states.at(static_cast<std::size_t>(row.state));
  made["exit_ips"] = exits_of(row.exits);
  made["possibly"] = history.certainty == ledger::Certainty::possibly;
  made["assigned_at"] = rfc3339(row.assigned_at);
  made["verified_at"] = rfc3339(row.verified_at);
  made["closing_at"] = present(row.closing_at);
  made["released_at"] = present(row.released_at);
  made["release_reason"] = or_null(row.release_reason);
  made["exposure_ms"] = row.exposure ? json::value(row.exposure->count()) : json::value();
  made["traffic"] = present(row.traffic);
  auto& observations = made["observations"].emplace_array();
  for (const auto& seen : history.observations) {
    observations.push_back({{"exit_ip", seen.address.text()}, {"at", rfc3339(seen.at)}, {"echo", seen.echo}});
  }
  return made;
}

json::object present(const ledger::EventRow& event) {
  json::object made;
  made["id"] = event.id;
  made["at"] = rfc3339(event.at);
  made["type"] = event.type;
  made["chip"] = event.chip ? json::value(event.chip->value()) : json::value();
  boost::system::error_code error;
  auto body = json::parse(event.body, error);
  made["data"] = error ? json::value(json::object()) : std::move(body);
  return made;
}

json::object present(const ledger::DeniedExit& denied) {
  json::object made;
  made["exit_ip"] = denied.address.text();
  made["at"] = rfc3339(denied.at);
  made["reason"] = denied.reason;
  made["chip"] = or_null(denied.chip);
  return made;
}

}  // namespace chipgate::admin
