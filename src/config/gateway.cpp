// The gateway's part of the file: where it is, and the account it is used with.
#include "endpoint.hpp"
#include "readers.hpp"

#include <algorithm>

namespace chipgate::config {
namespace {

using std::string;
using namespace std::chrono_literals;

std::optional<string> own_text(const Map& map, std::string_view key) {
  if (!map.has(key)) return std::nullopt;
  return map.text(key);
}

// Complaints name the options of ProviderOptions, which are keys of `gateway`, or of a mapping in it.
void relay_complaint(const Map& gateway, const provider::Complaint& complaint) {
  auto key = complaint.key;
  if (key == "password" && gateway.has("password_file")) key = "password_file";
  const auto dot = key.find('.');
  const auto section = dot == string::npos ? gateway : gateway.map(key.substr(0, dot));
  const auto name = dot == string::npos ? key : key.substr(dot + 1);
  if (gateway.report().complained_about(section.path_of(name))) return;
  section.problem(name, complaint.message, complaint.hint);
}

// A gateway as the preset knows it, for a file that says nothing of endpoints.
std::vector<gateway::EndpointOptions> usual_endpoints(const provider::Preset& preset) {
  if (preset.host.empty() || preset.ports.http == 0) return {};
  return {{.kind = gateway::EndpointKind::http, .host = string(preset.host), .port = preset.ports.http}};
}

void warn_of_other_provider(const Map& map, const Scalar& written, const gateway::EndpointOptions& endpoint,
                            const provider::Preset& preset) {
  const auto* const suggested = provider::preset_for_host(endpoint.host);
  if (suggested == nullptr || preset.name == "custom" || provider::serves(preset, endpoint.host)) return;
  map.report().warning(written.line, written.key,
                       endpoint.host + " does not belong to the preset " + string(preset.name),
                       "preset: " + string(suggested->name));
}

std::vector<gateway::EndpointOptions> read_endpoints(const Map& map, const provider::Preset& preset) {
  if (!map.has("endpoints")) {
    auto usual = usual_endpoints(preset);
    if (usual.empty()) map.problem("endpoints", "is missing", "[http://proxy.example.net:3120]");
    return usual;
  }
  std::vector<gateway::EndpointOptions> endpoints;
  const auto all = map.scalars("endpoints");
  if (all.empty() && !map.report().complained_about(map.path_of("endpoints"))) map.problem("endpoints", "is empty");
  for (const auto& written : all) {
    auto parsed = parse_endpoint(written.value, preset.ports);
    if (auto* const unreadable = std::get_if<Unreadable>(&parsed)) {
      map.report().problem(written.line, written.key, std::move(unreadable->message), std::move(unreadable->hint));
      continue;
    }
    auto& endpoint = std::get<gateway::EndpointOptions>(parsed);
    const bool twice = std::ranges::any_of(endpoints, [&](const gateway::EndpointOptions& other) {
      return other.kind == endpoint.kind && other.host == endpoint.host && other.port == endpoint.port;
    });
    if (twice) map.report().problem(written.line, written.key, "stands in the list twice");
    warn_of_other_provider(map, written, endpoint, preset);
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

gateway::TlsOptions read_tls(const Map& tls) {
  gateway::TlsOptions options{.ca_file = tls.report().beside(tls.text("ca_file")),
                              .server_name = tls.text("server_name")};
  if (!options.server_name.empty() && !is_host(options.server_name)) {
    tls.problem("server_name", "is not a host's name");
  }
  // It is opened again when the first connection is made; by then nobody looks at `check` any more.
  if (!options.ca_file.empty()) {
    const auto content = tls.report().environment().read(options.ca_file);
    if (!content.text) tls.problem("ca_file", "cannot be read: " + content.error, options.ca_file);
  }
  return options;
}

}  // namespace

provider::ProviderOptions read_provider(const Map& gateway) {
  provider::ProviderOptions options;
  options.preset = gateway.text("preset", options.preset);
  options.username = gateway.text("username");
  options.password = read_password(gateway);
  options.country = gateway.text("country");
  options.city = gateway.text("city");
  options.lifetime = gateway.duration("lifetime", options.lifetime, {.least = 1s, .most = 24h * 365});
  options.username_template = own_text(gateway, "username_template");
  options.password_template = own_text(gateway, "password_template");
  if (gateway.has("session")) {
    const auto session = gateway.map("session");
    provider::RandomSession random;
    random.alphabet = session.text("alphabet", random.alphabet);
    random.length = session.number("length", random.length, 1, 64);
    options.session = std::move(random);
  }
  return options;
}

gateway::GatewayOptions read_gateway(const Map& map, const provider::ProviderOptions& provider) {
  gateway::GatewayOptions options;
  const auto* const preset = provider::find_preset(provider.preset);
  options.endpoints = read_endpoints(map, preset != nullptr ? *preset : provider::presets().front());
  options.tls = read_tls(map.map("tls"));
  const bool any_tls = std::ranges::any_of(options.endpoints, [](const gateway::EndpointOptions& endpoint) {
    return endpoint.kind == gateway::EndpointKind::https;
  });
  if (map.has("tls") && !any_tls) map.warning("tls", "has no effect: no endpoint begins with https://");
  options.connect_timeout = map.duration("connect_timeout", options.connect_timeout, {.least = 100ms, .most = 60s});
  options.resolve_every = map.duration("resolve_every", options.resolve_every, {.least = 1s, .most = 24h});
  return options;
}

std::optional<provider::Provider> check_provider(const Map& gateway, const provider::ProviderOptions& options) {
  auto made = provider::Provider::make(options);
  if (made.has_value()) return std::move(*made);
  for (const auto& complaint : made.error()) relay_complaint(gateway, complaint);
  // The grammar alone is enough to judge chip ids, so that a wrong password does not hide a wrong id.
  provider::ProviderOptions grammar;
  grammar.preset = options.preset;
  grammar.username = "x";
  grammar.password = Secret("x");
  grammar.username_template = options.username_template;
  grammar.password_template = options.password_template;
  grammar.session = options.session;
  auto without_account = provider::Provider::make(std::move(grammar));
  if (without_account.has_value()) return std::move(*without_account);
  return std::nullopt;
}

}  // namespace chipgate::config
