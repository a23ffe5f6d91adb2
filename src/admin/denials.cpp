// Handlers of the exits that nobody gets.
#include "asked.hpp"
#include "handlers.hpp"
#include "present.hpp"

#include <algorithm>

namespace chipgate::admin {
namespace {

constexpr std::size_t longest_reason = 1'000;

}  // namespace

net::Task<Response> list_denied(const Site& site, Call call) {
  Arguments arguments(call);
  const auto cursor = arguments.address("cursor");
  const auto limit = arguments.number("limit", 1'000, {1, 10'000});
  if (arguments.refusal()) co_return *arguments.refusal();
  auto denied = co_await site.api->ledger.denied();
  if (denied.has_error()) co_return ledger_response(denied.error());
  std::ranges::sort(*denied, {}, &ledger::DeniedExit::address);
  boost::json::array rows;
  std::optional<std::string> last;
  std::optional<std::string> next;
  for (const auto& row : *denied) {
    if (cursor && row.address <= *cursor) continue;
    if (rows.size() == limit) {
      next = last;
      break;
    }
    rows.push_back(present(row));
    last = row.address.text();
  }
  co_return page_response("denied", std::move(rows), next);
}

net::Task<Response> deny_exit(const Site& site, Call call) {
  Arguments arguments(call);
  const auto address = arguments.address_in_path();
  Members members(call.body);
  ledger::DeniedExit denied{.address = address.value_or(IpAddress()), .at = std::chrono::system_clock::now()};
  denied.reason = members.text("reason", longest_reason);
  denied.chip = members.text("chip", 64);
  if (!denied.chip.empty() && !ChipId::parse(denied.chip)) members.refuse().bad_value("chip", "is no chip's id");
  if (arguments.refusal()) co_return *arguments.refusal();
  if (const auto refusal = members.refusal()) co_return *refusal;
  const auto done = co_await site.api->ledger.deny(denied);
  if (done.has_error()) co_return ledger_response(done.error());
  co_return json_response(200, present(denied));
}

net::Task<Response> allow_exit(const Site& site, Call call) {
  Arguments arguments(call);
  const auto address = arguments.address_in_path();
  if (arguments.refusal()) co_return *arguments.refusal();
  const auto done = co_await site.api->ledger.allow(*address);
  if (done.has_error()) co_return ledger_response(done.error());
  if (!*done) co_return error_response(404, "not_denied", "this address is not denied", "ip");
  co_return json_response(200, {{"allowed", address->text()}});
}

}  // namespace chipgate::admin
