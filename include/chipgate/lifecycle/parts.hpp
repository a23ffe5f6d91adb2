// What the classes of the life cycle share. All of it outlives them, and is used on the control thread.
#pragma once

#include "chipgate/lifecycle/options.hpp"
#include "chipgate/net/task_group.hpp"
#include "chipgate/provider/provider.hpp"
#include "chipgate/provider/random.hpp"

#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

namespace chipgate::ledger {
class Ledger;
}
namespace chipgate::telemetry {
class Log;
struct LifeCounters;
}  // namespace chipgate::telemetry

namespace chipgate::lifecycle {

class Clocks;
class DataPlane;
class FleetPace;

struct Parts {
  boost::asio::io_context& control;
  net::TaskGroup& tasks;
  DataPlane& plane;
  ledger::Ledger& ledger;
  telemetry::Log& log;
  const provider::Provider& provider;
  const LifeOptions& options;
  provider::RandomBits& random;
  // By EndpointIndex: "http://host:port".
  const std::vector<std::string>& endpoint_names;
  // Which chipgate this is, in the rows that it writes.
  const std::string& instance;
  telemetry::LifeCounters& counters;
  Clocks& clocks;
  FleetPace& pace;
};

}  // namespace chipgate::lifecycle
