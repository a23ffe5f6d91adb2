// Writing CSV.
#include "csv.hpp"

namespace chipgate::admin {
namespace {

std::string cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string cell(const std::optional<IpAddress>& address) { return address ? address->text() : ""; }
std::string cell(const std::optional<WallTime>& time) { return time ? rfc3339(*time) : ""; }

// The addresses that were seen during the assignment and are not its own.
std::string observed(const ledger::HistoryRow& history) {
  std::string text;
  for (const auto& seen : history.observations) text += (text.empty() ? "" : " ") + seen.address.text();
  return text;
}

}  // namespace

std::string csv(const std::vector<ledger::HistoryRow>& rows) {
  std::string text =
      "id,chip,session_identifier,exit_ip_v4,exit_ip_v6,certainty,assigned_at,released_at,release_reason,"
      "observed_exit_ips,bytes_up,bytes_down,endpoint\r\n";
  for (const auto& history : rows) {
    const auto& row = history.row;
    const bool possibly = history.certainty == ledger::Certainty::possibly;
    text += std::to_string(row.id.value()) + ',' + cell(row.chip.value()) + ',' + cell(row.session.value()) + ',' +
            cell(row.exits.v4) + ',' + cell(row.exits.v6) + ',' + (possibly ? "possibly" : "surely") + ',' +
            rfc3339(row.assigned_at) + ',' + cell(row.released_at) + ',' + cell(row.release_reason) + ',' +
            observed(history) + ',' + std::to_string(row.traffic.up) + ',' + std::to_string(row.traffic.down) + ',' +
            cell(row.endpoint) + "\r\n";
  }
  return text;
}

}  // namespace chipgate::admin
