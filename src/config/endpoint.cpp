// Reading endpoints.
#include "endpoint.hpp"

#include "chipgate/base/address.hpp"
#include "chipgate/base/ascii.hpp"

#include <algorithm>
#include <array>

namespace chipgate::config {
namespace {

using gateway::EndpointKind;
using std::string_view;

constexpr std::array kinds{EndpointKind::http, EndpointKind::https, EndpointKind::socks5};

constexpr string_view example = "http://proxy.example.net:3120";

std::uint16_t default_port(EndpointKind kind, const provider::Ports& ports) {
  switch (kind) {
    case EndpointKind::http: return ports.http;
    case EndpointKind::https: return ports.https;
    case EndpointKind::socks5: return ports.socks5;
  }
  return 0;
}

Unreadable unreadable(std::string message, string_view hint = example) {
  return {std::move(message), std::string(hint)};
}

}  // namespace

bool is_host(string_view text) {
  if (IpAddress::parse(text)) return true;
  const auto allowed = [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; };
  return !text.empty() && text.size() <= 253 && text.front() != '.' && text.front() != '-' &&
         std::ranges::all_of(text, allowed);
}

std::variant<gateway::EndpointOptions, Unreadable> parse_endpoint(string_view text,
                                                                  const provider::Ports& default_ports) {
  const auto colon = text.find("://");
  if (colon == string_view::npos) return unreadable("does not begin with http://, https:// or socks5://");
  const auto* const kind = std::ranges::find(kinds, lower(text.substr(0, colon)), gateway::scheme);
  if (kind == kinds.end()) return unreadable("does not begin with http://, https:// or socks5://");
  gateway::EndpointOptions endpoint{.kind = *kind, .host = {}, .port = default_port(*kind, default_ports)};

  auto authority = text.substr(colon + 3);
  if (authority.ends_with('/')) authority.remove_suffix(1);
  if (authority.find('@') != string_view::npos) {
    return unreadable("carries a username or a password", "write them as gateway.username and gateway.password");
  }
  if (authority.find_first_of("/?#") != string_view::npos) return unreadable("has a path: a proxy has none");
  const bool bracketed = authority.starts_with('[');
  if (bracketed && authority.find(']') == string_view::npos) {
    return unreadable("has a [ without its ]", "http://[2001:db8::1]:3120");
  }
  auto [host, port] = split_host_and_port(authority);
  if (port) {
    const auto number = parse_decimal(*port, 65'535);
    if (!number || *number == 0) return unreadable("has a port that is not a number from 1 to 65535");
    endpoint.port = static_cast<std::uint16_t>(*number);
  }
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
    const auto address = IpAddress::parse(host);
    if (!address || host.find(':') == string_view::npos) {
      return unreadable("has no IPv6 address in its brackets", "http://[2001:db8::1]:3120");
    }
  }
  if (!is_host(host)) return unreadable("has no valid host");
  if (endpoint.port == 0) {
    return unreadable("has no port, and the preset knows none for " + std::string(gateway::scheme(*kind)));
  }
  endpoint.host = lower(host);
  return endpoint;
}

}  // namespace chipgate::config
