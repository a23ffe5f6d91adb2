// Where targets lead: every name is the simulator's own, and nothing is ever resolved.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/protocol/authority.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace chipgate::sim {

// What an origin does with a connection; the target's port says which.
enum class Service : std::uint8_t {
  pages,      // any other port: HTTP
  tls_pages,  // 443
  echo,       // 7
  tls_echo,   // 8443
  sink,       // 9: reads to the end, then says how many bytes there were
  reverse,    // 13: reads to the end, then sends it all back reversed
  source,     // 19: sends without end, or N bytes to `N.source.sim`
};
std::string_view name(Service service);
Service service_of(std::uint16_t port);

// N of "N.source.sim"; any other name wants no end.
std::optional<std::uint64_t> bytes_wanted(std::string_view host);

// A target that is not mapped belongs to the simulator's own origin.
class NameMap {
 public:
  // false: not "host:port", or not a loopback address, to which alone the simulator connects.
  bool add(std::string_view target, std::string_view address);
  std::optional<SocketAddress> find(const protocol::Authority& target) const;

 private:
  std::map<std::string, SocketAddress> mapped_;
};

}  // namespace chipgate::sim
