// Picking options from settings.
#include "service_options.hpp"

#include <array>
#include <climits>
#include <unistd.h>

namespace chipgate::app {
namespace {

std::vector<std::string> endpoint_names(const gateway::GatewayOptions& options) {
  std::vector<std::string> names;
  names.reserve(options.endpoints.size());
  for (const auto& endpoint : options.endpoints) names.push_back(endpoint.name());
  return names;
}

}  // namespace

std::string instance_name() {
  std::array<char, HOST_NAME_MAX + 1> host{};
  if (::gethostname(host.data(), HOST_NAME_MAX) != 0) return "unknown";
  return host.data();
}

lifecycle::ServiceOptions service_options(const config::Settings& settings) {
  lifecycle::ServiceOptions options;
  options.life = settings.life;
  options.ports = settings.chip_ports;
  options.preset = settings.provider.preset;
  const auto& address = settings.proxy.listen.address;
  if (!address.is_unspecified()) options.proxy_host = address.is_v4() ? address.text() : "[" + address.text() + "]";
  options.endpoint_names = endpoint_names(settings.gateway);
  options.instance = instance_name();
  options.retention = settings.ledger.retention;
  return options;
}

}  // namespace chipgate::app
