// The targets that clients ask for, host:port and absolute http:// URLs, checked once and written in one form.
#pragma once

#include "chipgate/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chipgate::protocol {

// Lower-case name without a final dot, or the canonical text of an IP address without brackets.
struct Authority {
  std::string host;
  std::uint16_t port = 0;

  bool is_ip_literal() const;
  // "name:443", "192.0.2.1:443", "[2001:db8::1]:443".
  std::string text() const;

  friend bool operator==(const Authority&, const Authority&) = default;
};

// A bare host (no brackets, no port) as SOCKS carries it. Names are letters, digits, '-', '.', '_'. A name whose last
// label is a number ("127.1", "0x7f000001") is refused: some resolvers read it as an address, which would slip past
// every rule about IP literals.
std::optional<Authority> make_authority(std::string_view host, std::uint16_t port);

// RFC 9112 section 3.2.3, the form of CONNECT: the port is required.
std::optional<Authority> parse_authority(std::string_view text);
std::optional<Authority> parse_authority(std::string_view text, std::uint16_t default_port);

struct HttpUrl {
  Authority authority;
  std::string path_and_query;  // never empty, starts with '/'
};

// RFC 9112 section 3.2.2, the form of a plain http request to a proxy. https:// is cleartext_https: a client that
// writes it has forgotten CONNECT, and would hand its request to everyone on the way.
Result<HttpUrl> parse_absolute_url(std::string_view target);

}  // namespace chipgate::protocol
