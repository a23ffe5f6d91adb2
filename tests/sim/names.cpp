// Targets and the services behind them.
#include "sim/names.hpp"

#include "chipgate/base/ascii.hpp"

#include <limits>

namespace chipgate::sim {

std::string_view name(Service service) {
  switch (service) {
    case Service::pages: return "pages";
    case Service::tls_pages: return "tls_pages";
    case Service::echo: return "echo";
    case Service::tls_echo: return "tls_echo";
    case Service::sink: return "sink";
    case Service::reverse: return "reverse";
    case Service::source: return "source";
  }
  return {};
}

Service service_of(std::uint16_t port) {
  switch (port) {
    case 7: return Service::echo;
    case 9: return Service::sink;
    case 13: return Service::reverse;
    case 19: return Service::source;
    case 443: return Service::tls_pages;
    case 8443: return Service::tls_echo;
    default: return Service::pages;
  }
}

std::optional<std::uint64_t> bytes_wanted(std::string_view host) {
  const auto dot = host.find('.');
  if (dot == std::string_view::npos || host.substr(dot) != ".source.sim") return std::nullopt;
  return parse_decimal(host.substr(0, dot), std::numeric_limits<std::uint64_t>::max());
}

bool NameMap::add(std::string_view target, std::string_view address) {
  const auto authority = protocol::parse_authority(target);
  const auto to = SocketAddress::parse(address);
  if (!authority || !to || !to->ip.is_loopback()) return false;
  mapped_[authority->text()] = *to;
  return true;
}

std::optional<SocketAddress> NameMap::find(const protocol::Authority& target) const {
  const auto found = mapped_.find(target.text());
  if (found == mapped_.end()) return std::nullopt;
  return found->second;
}

}  // namespace chipgate::sim
