// The whole configuration, as the layers want it.
#pragma once

#include "chipgate/admin/options.hpp"
#include "chipgate/gateway/options.hpp"
#include "chipgate/provider/provider.hpp"
#include "chipgate/proxy/options.hpp"
#include "chipgate/relay/options.hpp"
#include "chipgate/telemetry/options.hpp"

#include <cstdint>
#include <vector>

namespace chipgate::config {

// Both ends included.
struct PortRange {
  std::uint16_t first = 20'001;
  std::uint16_t last = 29'999;
};

struct Settings {
  proxy::ProxyOptions proxy;
  // In the file's order, ranges written out, every port settled; 0 is left to the kernel.
  std::vector<proxy::ChipOptions> chips;
  // Where chips that are added later find their ports.
  PortRange chip_ports;
  gateway::GatewayOptions gateway;
  provider::ProviderOptions provider;
  relay::RelayOptions relay;
  telemetry::LogOptions log;
  admin::AdminOptions admin;
};

}  // namespace chipgate::config
