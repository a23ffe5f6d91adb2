// Which targets a port carries: rules about names, addresses and ports, and the lists that are made of them.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/result.hpp"
#include "chipgate/protocol/authority.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chipgate::protocol {

// A target as rules see it: its host is a name or an address, never both. A name is not resolved. Borrows the
// authority.
struct Destination {
  explicit Destination(const Authority& target);

  std::string_view name;  // empty for an address
  std::optional<IpAddress> address;
  std::uint16_t port;
};

// One of:
//   "web.whatsapp.com"                        this name
//   "*.whatsapp.net", ".whatsapp.net"         every name below this one, and not this one itself
//   "10.0.0.0/8", "192.0.2.1", "2001:db8::/32"  an address that the client wrote as such
//   "*"                                       everything, names and addresses
// and behind it, where it is not about all ports, ":443" or ":8000-8099"; IPv6 then stands in brackets: "[::1]:443",
// "[2001:db8::/32]:443".
class DestinationRule {
 public:
  static std::optional<DestinationRule> parse(std::string_view text);

  bool matches(const Destination&) const;
  // In one form: lower-case, without a final dot, "*.name" for ".name".
  std::string text() const;

 private:
  enum class Kind : std::uint8_t { everything, name, below, network };

  Kind kind_ = Kind::everything;
  std::string name_;  // of `below` with the dot before it
  Network network_;
  std::uint16_t first_port_ = 1;
  std::uint16_t last_port_ = 65535;
};

// Rules that go by a name of their own.
struct DestinationPreset {
  std::string_view name;
  std::span<const std::string_view> rules;
};
std::span<const DestinationPreset> destination_presets();
// Whether the preset whatsapp carries it.
bool is_for_whatsapp(const Authority& target);

struct Destinations {
  std::vector<DestinationRule> allow;  // empty allows everything
  std::vector<DestinationRule> deny;   // wins over allow

  // Error: destination_denied, with the rule that decided. Allocates only then.
  Result<void> check(const Authority& target) const;
};

}  // namespace chipgate::protocol
