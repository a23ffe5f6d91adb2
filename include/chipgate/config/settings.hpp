// The whole configuration, as the layers want it.
#pragma once

#include "chipgate/admin/options.hpp"
#include "chipgate/gateway/options.hpp"
#include "chipgate/ledger/options.hpp"
#include "chipgate/lifecycle/control.hpp"
#include "chipgate/lifecycle/options.hpp"
#include "chipgate/provider/provider.hpp"
#include "chipgate/proxy/options.hpp"
#include "chipgate/relay/options.hpp"
#include "chipgate/telemetry/options.hpp"

#include <cstdint>
#include <set>
#include <vector>

namespace chipgate::config {

using lifecycle::PortRange;

struct Settings {
  proxy::ProxyOptions proxy;
  // In the file's order, ranges written out, every port settled; 0 is left to the kernel.
  std::vector<lifecycle::ChipSpec> chips;
  // Those of them whose port the file leaves open.
  std::set<ChipId> ports_of_range;
  // Where chips that are added later find their ports.
  PortRange chip_ports;
  gateway::GatewayOptions gateway;
  provider::ProviderOptions provider;
  relay::RelayOptions relay;
  ledger::LedgerOptions ledger;
  lifecycle::LifeOptions life;
  telemetry::LogOptions log;
  admin::AdminOptions admin;
};

}  // namespace chipgate::config
