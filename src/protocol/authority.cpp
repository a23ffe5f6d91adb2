// Checking and canonical form of targets.
#include "chipgate/protocol/authority.hpp"

#include "chipgate/base/address.hpp"
#include "chipgate/base/ascii.hpp"

#include <algorithm>
#include <utility>

namespace chipgate::protocol {
namespace {

// What SOCKS can carry, and more than DNS allows.
constexpr std::size_t longest_host = 255;
constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

bool is_name_char(char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; }

// As inet_aton and the URL standard's parser see it: decimal, or hexadecimal after 0x.
bool is_number(std::string_view label) {
  if (std::ranges::all_of(label, is_digit)) return true;
  return label.starts_with("0x") &&
         std::ranges::all_of(label.substr(2), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

bool is_name(std::string_view name) {
  if (!std::ranges::all_of(name, is_name_char)) return false;
  if (name.starts_with('.') || name.ends_with('.') || name.find("..") != std::string_view::npos) return false;
  return !is_number(name.substr(name.rfind('.') + 1));
}

std::optional<Authority> assemble(std::string_view host, std::uint16_t port) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (!bracketed) {
    return host.find(':') == std::string_view::npos ? make_authority(host, port) : std::nullopt;
  }
  const auto inside = host.substr(1, host.size() - 2);
  // Brackets are for IPv6 only, so that "[192.0.2.1]" and "[name]" are nobody's idea of a host.
  return inside.find(':') == std::string_view::npos ? std::nullopt : make_authority(inside, port);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_decimal(text, 65535);
  if (!port || *port == 0) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

// The authority's part of a URL without its scheme.
std::string_view authority_part(std::string_view rest) { return rest.substr(0, rest.find_first_of("/?#")); }

// For whoever must find the client that wrote it: the host, and nothing of the path.
Error cleartext(std::string_view rest) {
  const auto meant = parse_authority(authority_part(rest), https_port);
  return {ErrorKind::cleartext_https, meant ? meant->text() : std::string()};
}

}  // namespace

bool Authority::is_ip_literal() const { return IpAddress::parse(host).has_value(); }

std::string Authority::text() const { return host_and_port_text(host, port); }

std::optional<Authority> make_authority(std::string_view host, std::uint16_t port) {
  if (port == 0 || host.empty() || host.size() > longest_host) return std::nullopt;
  // One final dot only says that the name is complete.
  if (host.ends_with('.')) host.remove_suffix(1);
  if (const auto ip = IpAddress::parse(host)) return Authority{ip->text(), port};
  auto name = lower(host);
  if (name.empty() || !is_name(name)) return std::nullopt;
  return Authority{std::move(name), port};
}

std::optional<Authority> parse_authority(std::string_view text) {
  const auto [host, port_text] = split_host_and_port(text);
  const auto port = port_text ? parse_port(*port_text) : std::nullopt;
  return port ? assemble(host, *port) : std::nullopt;
}

std::optional<Authority> parse_authority(std::string_view text, std::uint16_t default_port) {
  const auto [host, port_text] = split_host_and_port(text);
  // "host:" is the same as "host" (RFC 3986 section 6.2.3).
  if (!port_text || port_text->empty()) return assemble(host, default_port);
  const auto port = parse_port(*port_text);
  return port ? assemble(host, *port) : std::nullopt;
}

Result<HttpUrl> parse_absolute_url(std::string_view target) {
  constexpr std::string_view http = "http://";
  constexpr std::string_view https = "https://";
  if (starts_with_ignoring_case(target, https)) return cleartext(target.substr(https.size()));
  if (!starts_with_ignoring_case(target, http)) return Error{ErrorKind::not_a_proxy_request};
  const auto rest = target.substr(http.size());
  const auto written = authority_part(rest);
  auto authority = parse_authority(written, http_port);
  const auto path = rest.substr(written.size());
  const auto unfit = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '#'; };
  if (!authority || std::ranges::any_of(path, unfit)) {
    return Error{ErrorKind::malformed_request, "the URL is not one"};
  }
  auto path_and_query = (path.starts_with('/') ? "" : "/") + std::string(path);
  return HttpUrl{std::move(*authority), std::move(path_and_query)};
}

}  // namespace chipgate::protocol
