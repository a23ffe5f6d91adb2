// The configuration: what is in effect, and reading it again.
#include "handlers.hpp"
#include "present.hpp"

#include <array>

namespace chipgate::admin {
namespace {

namespace json = boost::json;

struct WhyInfo {
  std::string_view name;
  unsigned status;
};

// In the order of the enumeration.
constexpr std::array<WhyInfo, 3> whys{{{"bad_configuration", 400}, {"reload_running", 409}, {"stopping", 503}}};

json::array words(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

Response response_of(const Reloaded& done) {
  json::object body;
  body["added"] = words(done.added);
  body["removed"] = words(done.removed);
  body["changed"] = words(done.changed);
  body["settings"] = words(done.settings);
  body["restart_needed"] = words(done.restart_needed);
  body["unfinished"] = words(done.unfinished);
  return json_response(200, body);
}

}  // namespace

net::Task<Response> show_configuration(const Site& site, Call) {
  co_return Response{.status = 200, .content_type = "application/yaml", .body = site.api->configuration.redacted()};
}

net::Task<Response> reload_configuration(const Site& site, Call) {
  const auto answer = co_await site.api->configuration.reload();
  if (const auto* const denied = std::get_if<lifecycle::Denied>(&answer)) co_return denied_response(*denied);
  if (const auto* const refused = std::get_if<NotReloaded>(&answer)) {
    const auto& [code, status] = whys.at(static_cast<std::size_t>(refused->why));
    co_return error_response(status, code, refused->message);
  }
  co_return response_of(std::get<Reloaded>(answer));
}

}  // namespace chipgate::admin
