// Handlers of what the ledger keeps.
#include "asked.hpp"
#include "chipgate/base/ascii.hpp"
#include "csv.hpp"
#include "handlers.hpp"
#include "present.hpp"

#include <limits>

namespace chipgate::admin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr NumberBounds any_id{0, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())};

enum class Form : std::uint8_t { json, csv };

Form wanted_form(Arguments& arguments, const Call& call) {
  const auto written = arguments.text("format");
  if (written == "csv") return Form::csv;
  if (written && written != "json") arguments.refuse().bad_value("format", "is neither json nor csv");
  return !written && call.accept.find("text/csv") != std::string::npos ? Form::csv : Form::json;
}

Response csv_response(const std::vector<ledger::HistoryRow>& rows, const std::optional<std::string>& cursor) {
  Response response{.content_type = "text/csv; charset=utf-8", .body = csv(rows)};
  if (cursor) response.fields.emplace_back("Chipgate-Next-Cursor", *cursor);
  return response;
}

// Where the listener begins: after the last one that it saw.
std::optional<std::int64_t> stream_position(Arguments& arguments, const Call& call) {
  if (!call.last_event_id.empty()) {
    const auto id = parse_decimal(call.last_event_id, any_id.most);
    if (!id) arguments.refuse().bad_value("Last-Event-ID", "is no event's id");
    return static_cast<std::int64_t>(id.value_or(0));
  }
  if (!arguments.text("after")) return std::nullopt;
  return static_cast<std::int64_t>(arguments.number("after", 0, any_id));
}

std::string day_of(WallTime time) { return rfc3339(time).substr(0, 10); }

}  // namespace

net::Task<Response> list_assignments(const Site& site, Call call) {
  Arguments arguments(call);
  ledger::AssignmentFilter filter;
  filter.chip = arguments.chip("chip");
  filter.exit_ip = arguments.address("exit_ip");
  filter.at = arguments.time("at");
  filter.from = arguments.time("from");
  filter.to = arguments.time("to");
  filter.before = static_cast<std::int64_t>(arguments.number("cursor", 0, any_id));
  const auto limit = arguments.number("limit", 100, {1, 1'000});
  filter.limit = limit + 1;  // one more says whether there is another page
  const auto form = wanted_form(arguments, call);
  if (filter.from && filter.to && *filter.from >= *filter.to) arguments.refuse().bad_value("to", "is not after from");
  if (arguments.refusal()) co_return *arguments.refusal();
  auto rows = co_await site.api->ledger.assignments(filter);
  if (rows.has_error()) co_return ledger_response(rows.error());
  std::optional<std::string> cursor;
  if (rows->size() > limit) {
    rows->erase(rows->begin() + static_cast<std::ptrdiff_t>(limit), rows->end());
    cursor = std::to_string(rows->back().row.id.value());
  }
  if (form == Form::csv) co_return csv_response(*rows, cursor);
  json::array made;
  for (const auto& row : *rows) made.push_back(present(row));
  co_return page_response("assignments", std::move(made), cursor);
}

net::Task<Response> list_events(const Site& site, Call call) {
  Arguments arguments(call);
  const auto chip = arguments.chip("chip");
  const auto position = stream_position(arguments, call);
  const auto limit = arguments.number("limit", 100, {1, 1'000});
  if (arguments.refusal()) co_return *arguments.refusal();
  if (call.accept.find("text/event-stream") != std::string::npos) {
    Response stream{.content_type = "text/event-stream", .content = Content::events};
    stream.events = {position, chip};
    co_return stream;
  }
  ledger::EventFilter filter{.after = position.value_or(0), .chip = chip, .limit = limit};
  // Without a position, the latest ones.
  if (!position) filter.end = ledger::EventFilter::End::newest;
  const auto rows = co_await site.api->ledger.events(filter);
  if (rows.has_error()) co_return ledger_response(rows.error());
  json::array made;
  for (const auto& row : *rows) made.push_back(present(row));
  json::object body;
  // There is always a next one: what has not happened yet.
  body["next_after"] = rows->empty() ? position.value_or(0) : rows->back().id;
  body["more"] = position.has_value() && rows->size() == limit;
  body["events"] = std::move(made);
  co_return json_response(200, body);
}

net::Task<Response> list_traffic(const Site& site, Call call) {
  Arguments arguments(call);
  const auto chip = arguments.chip("chip");
  const auto now = std::chrono::system_clock::now();
  const auto from = arguments.day("from").value_or(day_of(now - 24h * 30));
  const auto to = arguments.day("to").value_or(day_of(now));
  if (from > to) arguments.refuse().bad_value("to", "is before from");
  if (arguments.refusal()) co_return *arguments.refusal();
  const auto rows = co_await site.api->ledger.traffic(chip, from, to);
  if (rows.has_error()) co_return ledger_response(rows.error());
  const auto& price = site.api->price;
  std::uint64_t total = 0;
  json::array made;
  for (const auto& row : *rows) {
    const auto bytes = row.clients.up + row.clients.down + row.own.up + row.own.down;
    total += bytes;
    json::object one{{"chip", row.chip.value()}, {"day", row.day}};
    one["clients"] = present(row.clients);
    one["own"] = present(row.own);
    one["bytes"] = bytes;
    if (price) one["cost"] = cost_of(bytes, *price);
    made.push_back(std::move(one));
  }
  json::object body{{"from", from}, {"to", to}, {"bytes", total}};
  if (price) {
    body["cost"] = cost_of(total, *price);
    body["currency"] = price->currency;
    body["price_per_gb"] = price->per_gb;
  }
  body["traffic"] = std::move(made);
  co_return json_response(200, body);
}

}  // namespace chipgate::admin
