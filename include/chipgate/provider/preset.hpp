// What is known about each provider: its grammar, its sessions' lifetimes, its endpoints.
#pragma once

#include "chipgate/base/duration.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace chipgate::provider {

enum class WireForm : std::uint8_t {
  identifier,  // the session identifier itself
  random,      // exactly `length` characters of `alphabet`
};

struct WireRule {
  WireForm form = WireForm::identifier;
  std::string_view alphabet{};  // only for random
  std::size_t length = 0;       // random: exactly; identifier: at most, 0 for no limit
};

// Whether a vendor's page says so, or only experience: what is assumed is shown as such, and measured.
enum class Certainty : std::uint8_t { assumed, confirmed };

struct Lifetime {
  Milliseconds length{0};  // 0 is none, or none known
  Certainty certainty = Certainty::assumed;
};

// What `lifetime` may be, both ends included; 0 to 0 where the grammar has no place for one.
struct LifetimeRange {
  Milliseconds shortest{0};
  Milliseconds longest{0};
};

enum class LetterCase : std::uint8_t { as_written, lower, upper };

// Ports by the way the proxy itself is spoken to; 0 is none known.
struct Ports {
  std::uint16_t http = 0;
  std::uint16_t https = 0;
  std::uint16_t socks5 = 0;
};

enum class EchoFamily : std::uint8_t { v4, v6 };

// A page that answers with the address it is asked from. `url` is plain http: a look then costs no TLS handshake.
struct Echo {
  std::string_view url;
  EchoFamily family;
};

struct Preset {
  std::string_view name;
  std::string_view username_template;  // see Template
  std::string_view password_template;
  WireRule wire;
  LetterCase country_case = LetterCase::as_written;
  Lifetime idle{};      // unused for this long, the session loses its exit
  Lifetime absolute{};  // in any case after this long; also the `lifetime` asked for where none is configured
  LifetimeRange lifetime_range{};                   // what the operator may ask for
  std::string_view host{};                          // where the account is served, empty if that differs by account
  Ports ports{};                                    // defaults of endpoints written without a port
  std::span<const std::string_view> known_hosts{};  // the host, and domains that are surely this provider's
  // An IP-literal target leaves by the session's exit, as a name does. Where not, it would show another address.
  bool carries_ip_literals = true;
};

std::span<const Preset> presets();
// Null if there is none of this name.
const Preset* find_preset(std::string_view name);
// Whether the host is one of the preset's known hosts, or below one of its domains.
bool serves(const Preset&, std::string_view host);
// The preset that a host suggests, null for a stranger.
const Preset* preset_for_host(std::string_view host);

// Pages to ask for the exit's address, by family; at least two of each, for a move is confirmed by another page.
std::span<const Echo> default_echoes();

}  // namespace chipgate::provider
