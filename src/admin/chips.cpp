// Handlers of the chips themselves.
#include "asked.hpp"
#include "chipgate/base/alias.hpp"
#include "handlers.hpp"
#include "present.hpp"

#include <limits>

namespace chipgate::admin {
namespace {

namespace json = boost::json;

constexpr NumberBounds any_number{0, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())};

Response unknown_chip() { return error_response(404, "unknown_chip", "there is no chip of this id", "id"); }

std::optional<lifecycle::State> state_named(std::string_view text) {
  for (std::size_t i = 0; i < lifecycle::state_count; ++i) {
    const auto state = static_cast<lifecycle::State>(i);
    if (lifecycle::name(state) == text) return state;
  }
  return std::nullopt;
}

std::optional<lifecycle::State> wanted_state(Arguments& arguments) {
  const auto written = arguments.text("state");
  if (!written) return std::nullopt;
  const auto state = state_named(*written);
  if (!state) {
    arguments.refuse().bad_value("state",
                                 "is none of released, acquiring, resuming, active, renewing, blocked and releasing");
  }
  return state;
}

lifecycle::ChipSpec read_spec(ChipId id, Members& members) {
  lifecycle::ChipSpec spec{.id = std::move(id)};
  spec.alias = members.text("alias", longest_alias);
  if (const auto complaint = alias_complaint(spec.alias)) members.refuse().bad_value("alias", *complaint);
  spec.port = static_cast<std::uint16_t>(members.number("port", {0, 65'535}).value_or(0));
  if (const auto written = members.text("connect", 32); !written.empty()) {
    const auto mode = connect_mode(written);
    if (!mode) members.refuse().bad_value("connect", "is none of manual, on_demand and on_start");
    spec.connect = mode.value_or(spec.connect);
  }
  spec.quota.day = members.number_in("quota", "day", any_number).value_or(0);
  spec.quota.month = members.number_in("quota", "month", any_number).value_or(0);
  return spec;
}

}  // namespace

net::Task<Response> list_chips(const Site& site, Call call) {
  Arguments arguments(call);
  const auto state = wanted_state(arguments);
  const auto cursor = arguments.text("cursor").value_or("");
  const auto limit = arguments.number("limit", 100, {1, 1'000});
  if (arguments.refusal()) co_return *arguments.refusal();
  json::array rows;
  std::optional<std::string> last;
  std::optional<std::string> next;
  for (const auto& chip : site.api->control.chips()) {
    const auto& id = chip.spec.id.value();
    if (id <= cursor || (state && chip.state != *state)) continue;
    if (rows.size() == limit) {
      next = last;
      break;
    }
    rows.push_back(present(chip, site.api->price));
    last = id;
  }
  co_return page_response("chips", std::move(rows), next);
}

net::Task<Response> show_chip(const Site& site, Call call) {
  Arguments arguments(call);
  const auto chip = site.api->control.chip(arguments.chip_in_path());
  if (!chip || arguments.refusal()) co_return unknown_chip();
  co_return json_response(200, present(*chip, site.api->price));
}

net::Task<Response> put_chip(const Site& site, Call call) {
  auto id = ChipId::parse(call.path.front());
  if (!id) {
    co_return error_response(400, "bad_id", "an id is a UUID or 1 to 64 of A-Z a-z 0-9 _ . -", "id");
  }
  Members members(call.body);
  auto spec = read_spec(std::move(*id), members);
  if (const auto refusal = members.refusal()) co_return *refusal;
  const auto answer = co_await site.api->control.put(std::move(spec));
  if (const auto* const denied = std::get_if<lifecycle::Denied>(&answer)) co_return denied_response(*denied);
  const auto& put = std::get<lifecycle::PutAnswer>(answer);
  co_return json_response(put.what == lifecycle::Put::created ? 201 : 200, present(put.chip, site.api->price));
}

net::Task<Response> delete_chip(const Site& site, Call call) {
  Arguments arguments(call);
  auto id = arguments.chip_in_path();
  if (arguments.refusal()) co_return *arguments.refusal();
  const auto answer = co_await site.api->control.remove(std::move(id));
  if (const auto* const denied = std::get_if<lifecycle::Denied>(&answer)) co_return denied_response(*denied);
  co_return released_response(std::get<lifecycle::Released>(answer));
}

}  // namespace chipgate::admin
