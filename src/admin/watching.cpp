// Handlers that tell how things stand, and the one that cuts a tunnel.
#include "asked.hpp"
#include "chipgate/base/ascii.hpp"
#include "chipgate/telemetry/exposition.hpp"
#include "chipgate/telemetry/json.hpp"
#include "handlers.hpp"
#include "openapi.hpp"
#include "present.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace chipgate::admin {
namespace {

namespace json = boost::json;

constexpr std::string_view plain_text = "text/plain; charset=utf-8";

Response text_response(std::string_view type, std::string body) {
  return {.status = 200, .content_type = type, .body = std::move(body)};
}

// Every state stands there, also with 0.
json::object counts_of(const std::vector<lifecycle::ChipView>& chips) {
  json::object made;
  made["total"] = chips.size();
  for (std::size_t i = 0; i < lifecycle::state_count; ++i) {
    const auto state = static_cast<lifecycle::State>(i);
    made[lifecycle::name(state)] = std::ranges::count(chips, state, &lifecycle::ChipView::state);
  }
  return made;
}

json::object traffic_of(const std::vector<lifecycle::ChipView>& chips, const std::optional<Price>& price) {
  json::object made;
  for (const auto& [key, member] : {std::pair("today", &lifecycle::ChipView::traffic_today),
                                    std::pair("month", &lifecycle::ChipView::traffic_month)}) {
    ledger::Traffic sum;
    for (const auto& chip : chips) {
      sum.up += (chip.*member).up;
      sum.down += (chip.*member).down;
    }
    auto& period = made[key].emplace_object();
    period = present(sum);
    if (price) period["cost"] = cost_of(sum.up + sum.down, *price);
  }
  if (price) made["currency"] = price->currency;
  return made;
}

}  // namespace

net::Task<Response> live(const Site&, Call) { co_return text_response(plain_text, "ok\n"); }

net::Task<Response> ready(const Site& site, Call) {
  const auto readiness = site.readiness.readiness();
  const bool yes = readiness.ready == Ready::yes;
  telemetry::JsonObject parts;
  for (const auto& part : readiness.parts) parts.add(part.name, part.state);
  telemetry::JsonObject body;
  body.add("ready", yes).add("checks", parts);
  co_return Response{.status = yes ? 200U : 503U, .content_type = json_text, .body = body.text() + '\n'};
}

net::Task<Response> metrics(const Site&, Call) {
  co_return Response{.content_type = telemetry::Exposition::content_type, .content = Content::metrics};
}

net::Task<Response> openapi(const Site&, Call) { co_return text_response(json_text, std::string(openapi_text)); }

net::Task<Response> show_status(const Site& site, Call) {
  const auto chips = site.api->control.chips();
  const auto readiness = site.readiness.readiness();
  std::int64_t tunnels = 0;
  std::int64_t held = 0;
  for (const auto& chip : chips) {
    tunnels += chip.tunnels_open;
    held += chip.clients_held;
  }
  json::object body;
  body["version"] = CHIPGATE_VERSION;
  body["started_at"] = rfc3339(site.api->started_at);
  body["ready"] = readiness.ready == Ready::yes;
  auto& checks = body["checks"].emplace_object();
  for (const auto& part : readiness.parts) checks[part.name] = part.state;
  body["ledger_writable"] = site.api->ledger.writable();
  body["chips"] = counts_of(chips);
  body["tunnels_open"] = tunnels;
  body["clients_held"] = held;
  body["traffic"] = traffic_of(chips, site.api->price);
  body["gateway"] = present(site.api->control.gateway());
  co_return json_response(200, body);
}

net::Task<Response> show_gateway(const Site& site, Call) {
  co_return json_response(200, present(site.api->control.gateway()));
}

net::Task<Response> list_tunnels(const Site& site, Call call) {
  Arguments arguments(call);
  const auto chip = arguments.chip("chip");
  const auto after = arguments.number("cursor", 0, {0, std::numeric_limits<std::int64_t>::max()});
  const auto limit = arguments.number("limit", 1'000, {1, 10'000});
  if (arguments.refusal()) co_return *arguments.refusal();
  if (chip && !site.api->control.chip(*chip)) {
    co_return error_response(404, "unknown_chip", "there is no chip of this id", "chip");
  }
  auto tunnels = co_await site.api->control.tunnels(chip);
  std::ranges::sort(tunnels, {}, &lifecycle::TunnelView::id);
  json::array rows;
  std::optional<std::string> cursor;
  for (const auto& tunnel : tunnels) {
    if (tunnel.id.value() <= after) continue;
    if (rows.size() == limit) {
      cursor = std::to_string(rows.back().as_object().at("id").to_number<std::uint64_t>());
      break;
    }
    rows.push_back(present(tunnel));
  }
  co_return page_response("tunnels", std::move(rows), cursor);
}

net::Task<Response> cut_tunnel(const Site& site, Call call) {
  const auto id = parse_decimal(call.path.front(), std::numeric_limits<std::uint64_t>::max());
  const auto missing = error_response(404, "unknown_tunnel", "there is no such tunnel, or it has ended", "id");
  if (!id) co_return missing;
  const bool cut = co_await site.api->control.cut(lifecycle::TunnelId(*id));
  if (!cut) co_return missing;
  co_return json_response(200, {{"cut", *id}});
}

}  // namespace chipgate::admin
