// JSON of what is now: chips, tunnels, the gateway.
#include "present.hpp"

#include <array>
#include <boost/json/serialize.hpp>
#include <cmath>

namespace chipgate::admin {
namespace {

namespace json = boost::json;

struct DenialInfo {
  std::string_view name;
  unsigned status;
};

// In the order of the enumeration.
constexpr std::array<DenialInfo, 10> denials{{{"unknown_chip", 404},
                                              {"not_current", 409},
                                              {"port_taken", 409},
                                              {"port_out_of_range", 400},
                                              {"alias_taken", 409},
                                              {"bad_id", 400},
                                              {"not_released", 409},
                                              {"capped", 429},
                                              {"configured", 409},
                                              {"ledger_unavailable", 503}}};

constexpr std::array<std::string_view, 3> connect_modes{"manual", "on_demand", "on_start"};

json::object present(const lifecycle::AssignmentView& view) {
  json::object made;
  made["id"] = view.id.value();
  made["session_identifier"] = view.session.value();
  made["exit_ips"] = json::array();
  for (const auto& exit : {view.exits.v4, view.exits.v6}) {
    if (exit) made["exit_ips"].as_array().emplace_back(exit->text());
  }
  made["endpoint"] = view.endpoint;
  made["assigned_at"] = rfc3339(view.assigned_at);
  made["verified_at"] = rfc3339(view.verified_at);
  return made;
}

json::value present(const std::optional<lifecycle::AssignmentView>& view) {
  return view ? json::value(present(*view)) : json::value();
}

json::object traffic_of(const lifecycle::ChipView& chip, const std::optional<Price>& price) {
  json::object made;
  for (const auto& [key, traffic] : {std::pair("today", chip.traffic_today), std::pair("month", chip.traffic_month)}) {
    auto& period = made[key].emplace_object();
    period = admin::present(traffic);
    if (price) period["cost"] = cost_of(traffic.up + traffic.down, *price);
  }
  if (price) made["currency"] = price->currency;
  return made;
}

}  // namespace

Response json_response(unsigned status, const json::object& body) {
  return {.status = status, .content_type = json_text, .body = json::serialize(body) + '\n'};
}

Response page_response(std::string_view name, json::array rows, const std::optional<std::string>& cursor) {
  json::object body;
  body[name] = std::move(rows);
  body["next_cursor"] = cursor ? json::value(*cursor) : json::value();
  return json_response(200, body);
}

std::string_view name(ledger::ConnectMode mode) { return connect_modes.at(static_cast<std::size_t>(mode)); }

std::optional<ledger::ConnectMode> connect_mode(std::string_view text) {
  for (std::size_t i = 0; i < connect_modes.size(); ++i) {
    if (connect_modes.at(i) == text) return static_cast<ledger::ConnectMode>(i);
  }
  return std::nullopt;
}

std::string_view name(lifecycle::Denial denial) { return denials.at(static_cast<std::size_t>(denial)).name; }

Response denied_response(const lifecycle::Denied& denied) {
  const auto& [code, status] = denials.at(static_cast<std::size_t>(denied.why));
  return error_response(status, code, denied.message, denied.field);
}

Response ledger_response(const Error& error) {
  std::string message(info(error.kind).message);
  if (!error.detail.empty()) message += ": " + error.detail;
  return error_response(503, info(error.kind).name, message);
}

json::value present(const std::optional<WallTime>& time) { return time ? json::value(rfc3339(*time)) : json::value(); }

json::object present(const Error& error) {
  json::object made;
  made["code"] = info(error.kind).name;
  made["message"] = info(error.kind).message;
  if (!error.detail.empty()) made["detail"] = error.detail;
  return made;
}

json::object present(const ledger::Traffic& traffic) { return {{"up", traffic.up}, {"down", traffic.down}}; }

json::object present(const lifecycle::ChipView& chip, const std::optional<Price>& price) {
  json::object made;
  made["id"] = chip.spec.id.value();
  made["alias"] = chip.spec.alias;
  made["port"] = chip.spec.port;
  made["proxy_url"] = chip.proxy_url;
  made["connect"] = name(chip.spec.connect);
  made["armed"] = chip.arming == ledger::Arming::armed;
  made["quota"] = {{"day", chip.spec.quota.day}, {"month", chip.spec.quota.month}};
  made["state"] = lifecycle::name(chip.state);
  made["since"] = rfc3339(chip.since);
  made["assignment"] = present(chip.assignment);
  made["pending"] = present(chip.pending);
  made["trouble"] = chip.trouble ? json::value(present(*chip.trouble)) : json::value();
  made["retry_at"] = present(chip.retry_at);
  made["tunnels_open"] = chip.tunnels_open;
  made["clients_held"] = chip.clients_held;
  made["quiet_since"] = present(chip.quiet_since);
  made["traffic"] = traffic_of(chip, price);
  return made;
}

json::object present(const lifecycle::TunnelView& tunnel) {
  json::object made;
  made["id"] = tunnel.id.value();
  made["chip"] = tunnel.chip_id;
  made["target"] = tunnel.target;
  made["session_identifier"] = tunnel.session.value();
  made["opened_at"] = rfc3339(tunnel.opened_at);
  made["traffic"] = present(ledger::Traffic{tunnel.bytes_up, tunnel.bytes_down});
  made["idle_ms"] = tunnel.idle.count();
  return made;
}

json::object present(const lifecycle::GatewayView& gateway) {
  json::object made;
  made["preset"] = gateway.preset;
  auto& endpoints = made["endpoints"].emplace_array();
  for (const auto& [name, up] : gateway.endpoints) endpoints.push_back({{"name", name}, {"up", up}});
  made["account"] = gateway.account ? json::value(present(*gateway.account)) : json::value();
  made["retry_at"] = present(gateway.retry_at);
  made["draws_waiting"] = gateway.draws_waiting;
  return made;
}

double cost_of(std::uint64_t bytes, const Price& price) {
  return std::round(static_cast<double>(bytes) / 1e9 * price.per_gb * 1e4) / 1e4;
}

}  // namespace chipgate::admin
