// Choosing the answer to a request.
#include "chipgate/admin/routes.hpp"

#include "chipgate/base/ascii.hpp"
#include "chipgate/telemetry/exposition.hpp"
#include "chipgate/telemetry/json.hpp"

#include <algorithm>

namespace chipgate::admin {
namespace {

constexpr std::string_view plain_text = "text/plain; charset=utf-8";
constexpr std::string_view json_text = "application/json";

// The host of a Host field, without its port and without an IPv6 address's brackets. What is no host is empty.
std::string_view host_of(std::string_view field) {
  const auto bracket = field.starts_with('[') ? field.find(']') : 0;
  if (bracket == std::string_view::npos) return {};
  const auto colon = field.find(':', bracket);
  if (colon != std::string_view::npos && !parse_decimal(field.substr(colon + 1), 65535)) return {};
  const auto host = field.substr(0, colon);
  if (bracket == 0) return host;
  return host.ends_with(']') ? host.substr(1, host.size() - 2) : std::string_view{};
}

Response json_response(unsigned status, const telemetry::JsonObject& body) {
  return {.status = status, .content_type = json_text, .body = body.text() + '\n'};
}

Response text_response(std::string body) {
  return {.status = 200, .content_type = plain_text, .body = std::move(body)};
}

Response readiness_response(const Readiness& readiness) {
  const bool ready = readiness.ready == Ready::yes;
  telemetry::JsonObject parts;
  for (const auto& part : readiness.parts) parts.add(part.name, part.state);
  telemetry::JsonObject body;
  body.add("ready", ready).add("checks", parts);
  return json_response(ready ? 200 : 503, body);
}

}  // namespace

Response error_response(unsigned status, std::string_view code, std::string_view message) {
  telemetry::JsonObject error;
  error.add("code", code).add("message", message);
  telemetry::JsonObject body;
  body.add("error", error);
  return json_response(status, body);
}

Routes::Routes(std::vector<std::string> hosts, const ReadinessSource& readiness)
    : hosts_(std::move(hosts)), readiness_(readiness) {}

Response Routes::answer(const Request& request) const {
  // HTTP/1.0 knows no Host, and health checks still speak it; a browser always sends one.
  const bool hostless = request.hosts.empty() && request.version == HttpVersion::http_1_0;
  if (!hostless && request.hosts.size() != 1) {
    return error_response(400, "bad_host", "a request needs exactly one Host header");
  }
  if (!hostless && !knows(request.hosts.front(), request.local)) {
    return error_response(421, "unknown_host", "this server is not known by the name in the Host header");
  }
  const auto path = request.target.substr(0, request.target.find('?'));
  auto response = get(path);
  if (response.status == 404 || request.method == "GET" || request.method == "HEAD") return response;
  response = error_response(405, "method_not_allowed", "only GET and HEAD are answered here");
  response.allow = "GET, HEAD";
  return response;
}

Response Routes::get(std::string_view path) const {
  if (path == "/livez") return text_response("ok\n");
  if (path == "/readyz") return readiness_response(readiness_.readiness());
  if (path == "/metrics") {
    return {.content_type = telemetry::Exposition::content_type, .content = Content::metrics};
  }
  return error_response(404, "not_found", "there is nothing at this path");
}

// A page in a browser can be made to reach this server under a name of the page's choosing (DNS rebinding); it cannot
// choose these.
bool Routes::knows(std::string_view field, const IpAddress& local) const {
  const auto host = host_of(field);
  if (host.empty()) return false;
  if (const auto ip = IpAddress::parse(host); ip && (ip->is_loopback() || *ip == local)) return true;
  const auto named = [host](std::string_view name) { return equals_ignoring_case(host, name); };
  return named("localhost") || std::ranges::any_of(hosts_, named);
}

}  // namespace chipgate::admin
