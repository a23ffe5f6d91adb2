// Plane: the chips' ports on their shards, and the threads that run them.
#pragma once

#include "chipgate/gateway/options.hpp"
#include "chipgate/lifecycle/data_plane.hpp"
#include "chipgate/net/resolver.hpp"
#include "chipgate/proxy/options.hpp"
#include "chipgate/relay/options.hpp"
#include "chipgate/telemetry/log.hpp"
#include "chipgate/telemetry/source.hpp"

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace chipgate::proxy {

class PlaneShard;

struct PlaneOptions {
  ProxyOptions proxy;
  gateway::GatewayOptions gateway;
  relay::RelayOptions relay;
};

// Lives on the control thread; everything that concerns a chip is posted to the chip's shard.
class Plane final : public lifecycle::DataPlane {
 public:
  // Throws std::runtime_error where the gateway's CA file cannot be read.
  Plane(const PlaneOptions& options, boost::asio::io_context& control, telemetry::Log& log);
  ~Plane() override;

  // Before `start`. Binds the chip's port, and answers which it is. Throws std::system_error.
  std::uint16_t add_chip(ChipIndex index, const ChipOptions& chip);
  // From here on clients are accepted.
  void start(lifecycle::DataPlaneEvents& events);
  void publish(EndpointIndex endpoint, const net::Resolver::Answer& answer);

  void open(ChipIndex chip, gateway::RoutePtr route) override;
  void fence(ChipIndex chip, Epoch next, ErrorKind why, std::function<void()> done) override;
  void refuse(ChipIndex chip, const Error& why) override;

  // Closes the ports; what is open or under way goes on.
  void leave();
  // Whether nothing is open or under way any more, told on the control thread.
  void ask_idle(std::function<void(bool)> tell);
  // Resets what is open, and ends the threads.
  void stop();

  std::size_t shard_count() const { return shards_.size(); }
  std::span<const telemetry::ChipSample> chip_samples() const { return chip_samples_; }
  std::span<const telemetry::ShardCounters* const> shard_samples() const { return shard_samples_; }
  std::int64_t tunnels_open() const;

 private:
  PlaneShard& shard_of(ChipIndex chip) { return *shards_.at(chip.value() % shards_.size()); }
  // A shard's ports are counted by themselves.
  std::size_t place_of(ChipIndex chip) const { return chip.value() / shards_.size(); }

  PlaneOptions options_;
  boost::asio::io_context& control_;
  std::vector<std::unique_ptr<PlaneShard>> shards_;
  std::vector<telemetry::ChipSample> chip_samples_;
  std::vector<const telemetry::ShardCounters*> shard_samples_;
};

}  // namespace chipgate::proxy
