// The table of routes, and choosing from it.
#include "chipgate/admin/router.hpp"

#include "chipgate/base/ascii.hpp"
#include "handlers.hpp"

#include <algorithm>
#include <array>

namespace chipgate::admin {
namespace {

using enum Access;

// clang-format off
constexpr std::array<Route, 25> table{{
    {"GET",    "/livez",                              open,  Body::none, "", live},
    {"GET",    "/readyz",                             open,  Body::none, "", ready},
    {"GET",    "/metrics",                            open,  Body::none, "", metrics},
    {"GET",    "/openapi.json",                       open,  Body::none, "", openapi},
    {"GET",    "/api/v1/status",                      token, Body::none, "", show_status},
    {"GET",    "/api/v1/gateway",                     token, Body::none, "", show_gateway},
    {"GET",    "/api/v1/config",                      token, Body::none, "", show_configuration},
    {"POST",   "/api/v1/config/reload",               token, Body::none, "", reload_configuration},
    {"GET",    "/api/v1/chips",                       token, Body::none, "state cursor limit", list_chips},
    {"GET",    "/api/v1/chips/{id}",                  token, Body::none, "", show_chip},
    {"PUT",    "/api/v1/chips/{id}",                  token, Body::json, "", put_chip},
    {"DELETE", "/api/v1/chips/{id}",                  token, Body::none, "", delete_chip},
    {"POST",   "/api/v1/chips/{id}/actions/connect",  token, Body::json, "wait", connect_chip},
    {"POST",   "/api/v1/chips/{id}/actions/release",  token, Body::json, "", release_chip},
    {"POST",   "/api/v1/chips/{id}/actions/rotate",   token, Body::json, "wait", rotate_chip},
    {"POST",   "/api/v1/chips/{id}/actions/verify",   token, Body::json, "", verify_chip},
    {"POST",   "/api/v1/chips/{id}/actions/report",   token, Body::json, "", report_chip},
    {"GET",    "/api/v1/tunnels",                     token, Body::none, "chip cursor limit", list_tunnels},
    {"DELETE", "/api/v1/tunnels/{id}",                token, Body::none, "", cut_tunnel},
    {"GET",    "/api/v1/assignments",                 token, Body::none, "chip exit_ip at from to cursor limit format",
     list_assignments},
    {"GET",    "/api/v1/events",                      token, Body::none, "chip after limit", list_events},
    {"GET",    "/api/v1/traffic",                     token, Body::none, "chip from to", list_traffic},
    {"GET",    "/api/v1/denied",                      token, Body::none, "cursor limit", list_denied},
    {"PUT",    "/api/v1/denied/{ip}",                 token, Body::json, "", deny_exit},
    {"DELETE", "/api/v1/denied/{ip}",                 token, Body::none, "", allow_exit},
}};
// clang-format on

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

std::string_view take_segment(std::string_view& path) {
  const auto end = std::min(path.find('/', 1), path.size());
  const auto segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

// What stands for the pattern's names, still encoded; nothing where the path is another.
std::optional<std::vector<std::string_view>> match(std::string_view pattern, std::string_view path) {
  std::vector<std::string_view> names;
  while (!pattern.empty() && !path.empty()) {
    const auto wanted = take_segment(pattern);
    const auto found = take_segment(path);
    if (!wanted.starts_with("/{")) {
      if (wanted != found) return std::nullopt;
    } else if (found.size() < 2 || found.front() != '/') {
      return std::nullopt;
    } else {
      names.push_back(found.substr(1));
    }
  }
  return pattern.empty() && path.empty() ? std::optional(std::move(names)) : std::nullopt;
}

bool lists(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const auto end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

// The methods of a path, as Allow lists them.
std::string methods_of(std::string_view path) {
  std::string methods;
  for (const auto& route : table) {
    if (route.path != path) continue;
    if (!methods.empty()) methods += ", ";
    methods += route.method;
    if (route.method == "GET") methods += ", HEAD";
  }
  return methods;
}

// Takes the query apart. What the route does not know is refused: a filter with a typing error would answer too much.
std::optional<Response> read_query(const Route& route, std::string_view query, Call& call) {
  // Any may stand behind what is open to all: probes like to add some.
  if (route.access == open) return std::nullopt;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto piece = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (piece.empty()) continue;
    const auto mark = std::min(piece.find('='), piece.size());
    auto key = decode_query(piece.substr(0, mark));
    auto value = decode_query(piece.substr(std::min(mark + 1, piece.size())));
    if (!key || !value) return error_response(400, "bad_query", "a % in the query begins no hexadecimal number");
    if (!lists(route.query, *key)) {
      return error_response(400, "unknown_parameter", "there is no parameter " + key->substr(0, 80), *key);
    }
    call.query.emplace_back(std::move(*key), std::move(*value));
  }
  return std::nullopt;
}

Response not_found() { return error_response(404, "not_found", "there is nothing at this path"); }

}  // namespace

std::span<const Route> routes() { return std::span(table); }

std::variant<Admitted, Response> Router::admit(const Request& request) const {
  if (auto refusal = refuse_host(request)) return std::move(*refusal);
  const auto mark = std::min(request.target.find('?'), request.target.size());
  const auto path = request.target.substr(0, mark);
  const auto method = request.method == "HEAD" ? std::string_view("GET") : request.method;
  const Route* found = nullptr;
  std::string_view pattern;
  std::vector<std::string_view> names;
  for (const auto& route : table) {
    if (route.access == token && site_.api == nullptr) continue;
    auto matched = match(route.path, path);
    if (!matched) continue;
    pattern = route.path;
    names = std::move(*matched);
    if (route.method == method) {
      found = &route;
      break;
    }
  }
  if (pattern.empty()) return not_found();
  if (found == nullptr) {
    const auto allowed = methods_of(pattern);
    auto response = error_response(405, "method_not_allowed", "answered here: " + allowed);
    response.fields.emplace_back("Allow", allowed);
    return response;
  }
  if (auto refusal = refuse_stranger(*found, request)) return std::move(*refusal);
  Admitted admitted{found, {}};
  admitted.call.accept = request.accept;
  admitted.call.last_event_id = request.last_event_id;
  for (const auto encoded : names) {
    auto decoded = decode_segment(encoded);
    if (!decoded) return not_found();
    admitted.call.path.push_back(std::move(*decoded));
  }
  const auto query = request.target.substr(std::min(mark + 1, request.target.size()));
  if (auto refusal = read_query(*found, query, admitted.call)) return std::move(*refusal);
  return admitted;
}

net::Task<Response> Router::answer(const Route& route, Call call) const {
  co_return co_await route.handler(site_, std::move(call));
}

std::optional<Response> Router::refuse_host(const Request& request) const {
  if (request.arrival == Arrival::unix_socket) return std::nullopt;
  // HTTP/1.0 knows no Host, and health checks still speak it; a browser always sends one.
  if (request.hosts.empty() && request.version == HttpVersion::http_1_0) return std::nullopt;
  if (request.hosts.size() != 1) {
    return error_response(400, "bad_host", "a request needs exactly one Host header");
  }
  if (knows(request.hosts.front(), request.local)) return std::nullopt;
  return error_response(421, "unknown_host", "this server is not known by the name in the Host header");
}

std::optional<Response> Router::refuse_stranger(const Route& route, const Request& request) const {
  if (route.access == open) return std::nullopt;
  constexpr std::string_view scheme = "Bearer ";
  const bool bearer = equals_ignoring_case(request.authorization.substr(0, scheme.size()), scheme);
  const auto presented = bearer ? trim(request.authorization.substr(scheme.size())) : std::string_view();
  // An empty token would let in whoever sends none.
  if (bearer && !site_.api->token.empty() && site_.api->token.equals(presented)) return std::nullopt;
  auto response = error_response(
      401, "token_required", bearer ? "the token is not the right one" : "send Authorization: Bearer and the token");
  response.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"chipgate\"");
  return response;
}

// A page in a browser can be made to reach this server under a name of the page's choosing (DNS rebinding); it cannot
// choose these.
bool Router::knows(std::string_view field, const IpAddress& local) const {
  const auto host = host_of(field);
  if (host.empty()) return false;
  if (const auto ip = IpAddress::parse(host); ip && (ip->is_loopback() || *ip == local)) return true;
  const auto named = [host](std::string_view name) { return equals_ignoring_case(host, name); };
  return named("localhost") || std::ranges::any_of(hosts_, named);
}

}  // namespace chipgate::admin
