// Handlers of what a chip can be told to do.
#include "asked.hpp"
#include "handlers.hpp"
#include "present.hpp"

#include <array>
#include <limits>

namespace chipgate::admin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

// As long as a client is held; a caller that wants longer asks again, which changes nothing.
constexpr Milliseconds usual_wait = 15s;
constexpr Milliseconds longest_wait = 2min;
constexpr std::size_t longest_note = 1'000;
constexpr std::array<std::string_view, 3> verdicts{"same", "other", "unknown"};

std::optional<AssignmentId> read_assignment(Members& members) {
  const auto id =
      members.number("assignment_id", {1, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())});
  return id ? std::optional(AssignmentId(static_cast<std::int64_t>(*id))) : std::nullopt;
}

lifecycle::Urgency read_urgency(Members& members) {
  const bool forced = members.boolean("force");
  return forced ? lifecycle::Urgency::forced : lifecycle::Urgency::normal;
}

bool admits(const lifecycle::ChipView& chip) {
  return chip.assignment && (chip.state == lifecycle::State::active || chip.state == lifecycle::State::renewing);
}

// What a session may be started on stands at the top, and only where the chip admits clients.
Response connected_response(const lifecycle::ConnectAnswer& answer, const std::optional<Price>& price) {
  if (const auto* const denied = std::get_if<lifecycle::Denied>(&answer)) return denied_response(*denied);
  const auto& chip = std::get<lifecycle::ChipView>(answer);
  json::object body;
  body["state"] = lifecycle::name(chip.state);
  if (admits(chip)) {
    body["assignment_id"] = chip.assignment->id.value();
    body["proxy_url"] = chip.proxy_url;
    body["chip"] = present(chip, price);
    return json_response(200, body);
  }
  if (chip.state == lifecycle::State::blocked) {
    body["error"] = chip.trouble ? present(*chip.trouble) : present(Error{ErrorKind::no_assignment});
    body["chip"] = present(chip, price);
    return json_response(503, body);
  }
  // One that is releasing may be on its way to the next assignment, as it is right after a rotate.
  if (chip.state == lifecycle::State::released) {
    return error_response(409, "released_meanwhile", "the chip was released while this request waited");
  }
  body["chip"] = present(chip, price);
  return json_response(202, body);
}

}  // namespace

Response released_response(const lifecycle::Released& released) {
  json::object body;
  body["released"] = released.assignment ? json::value(released.assignment->value()) : json::value();
  body["recorded"] = released.recorded == lifecycle::Recorded::yes;
  return json_response(200, body);
}

net::Task<Response> connect_chip(const Site& site, Call call) {
  Arguments arguments(call);
  auto id = arguments.chip_in_path();
  const auto wait = arguments.duration("wait", usual_wait, longest_wait);
  Members members(call.body);
  const auto urgency = read_urgency(members);
  if (arguments.refusal()) co_return *arguments.refusal();
  if (const auto refusal = members.refusal()) co_return *refusal;
  const auto answer = co_await site.api->control.connect(std::move(id), wait, urgency);
  co_return connected_response(answer, site.api->price);
}

net::Task<Response> release_chip(const Site& site, Call call) {
  Arguments arguments(call);
  auto id = arguments.chip_in_path();
  Members members(call.body);
  const auto assignment = read_assignment(members);
  if (arguments.refusal()) co_return *arguments.refusal();
  if (const auto refusal = members.refusal()) co_return *refusal;
  const auto answer = co_await site.api->control.release(std::move(id), assignment);
  if (const auto* const denied = std::get_if<lifecycle::Denied>(&answer)) co_return denied_response(*denied);
  co_return released_response(std::get<lifecycle::Released>(answer));
}

net::Task<Response> rotate_chip(const Site& site, Call call) {
  Arguments arguments(call);
  auto id = arguments.chip_in_path();
  const auto wait = arguments.duration("wait", usual_wait, longest_wait);
  Members members(call.body);
  const auto assignment = read_assignment(members);
  const auto urgency = read_urgency(members);
  if (arguments.refusal()) co_return *arguments.refusal();
  if (const auto refusal = members.refusal()) co_return *refusal;
  const auto answer = co_await site.api->control.rotate(std::move(id), assignment, wait, urgency);
  co_return connected_response(answer, site.api->price);
}

net::Task<Response> verify_chip(const Site& site, Call call) {
  Arguments arguments(call);
  auto id = arguments.chip_in_path();
  Members members(call.body);
  if (arguments.refusal()) co_return *arguments.refusal();
  if (const auto refusal = members.refusal()) co_return *refusal;
  const auto answer = co_await site.api->control.verify(std::move(id));
  if (const auto* const denied = std::get_if<lifecycle::Denied>(&answer)) co_return denied_response(*denied);
  const auto& looked = std::get<lifecycle::VerifyAnswer>(answer);
  json::object body;
  body["verdict"] = verdicts.at(static_cast<std::size_t>(looked.verdict));
  body["exit_ip"] = looked.address ? json::value(looked.address->text()) : json::value();
  body["trouble"] = looked.error ? json::value(present(*looked.error)) : json::value();
  co_return json_response(200, body);
}

net::Task<Response> report_chip(const Site& site, Call call) {
  Arguments arguments(call);
  auto id = arguments.chip_in_path();
  Members members(call.body);
  lifecycle::Report report{.kind = members.text("kind", 32)};
  if (report.kind != "banned" && report.kind != "suspect") {
    members.refuse().bad_value("kind", "is neither banned nor suspect");
  }
  report.note = members.text("note", longest_note);
  report.assignment = read_assignment(members);
  if (arguments.refusal()) co_return *arguments.refusal();
  if (const auto refusal = members.refusal()) co_return *refusal;
  const auto answer = co_await site.api->control.report(std::move(id), std::move(report));
  if (const auto* const denied = std::get_if<lifecycle::Denied>(&answer)) co_return denied_response(*denied);
  const auto& address = std::get<std::optional<IpAddress>>(answer);
  json::object body;
  body["denied_exit_ip"] = address ? json::value(address->text()) : json::value();
  co_return json_response(200, body);
}

}  // namespace chipgate::admin
