// Plane: the chips' ports on their shards, and the threads that run them.
#pragma once

#include "chipgate/gateway/options.hpp"
#include "chipgate/lifecycle/data_plane.hpp"
#include "chipgate/net/resolver.hpp"
#include "chipgate/proxy/options.hpp"
#include "chipgate/proxy/places.hpp"
#include "chipgate/relay/options.hpp"
#include "chipgate/telemetry/log.hpp"
#include "chipgate/telemetry/source.hpp"

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

namespace chipgate::proxy {

class PlaneShard;
struct PortCounters;

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

  // From here on clients are accepted, and what was asked before is done.
  void start(lifecycle::DataPlaneEvents& events);
  void publish(EndpointIndex endpoint, const net::Resolver::Answer& answer);

  Result<std::uint16_t> listen(ChipIndex chip, const ChipId& id, std::uint16_t port) override;
  void limit_whatsapp(ChipIndex chip, std::optional<std::uint32_t> most) override;
  void close(ChipIndex chip, std::function<void()> done) override;
  void open(ChipIndex chip, gateway::RoutePtr route) override;
  void withhold(ChipIndex chip) override;
  void fence(ChipIndex chip, Epoch next, ErrorKind why, std::function<void()> done) override;
  void refuse(ChipIndex chip, const Error& why) override;
  void explain(ChipIndex chip, const Error& why) override;
  void look(ChipIndex chip, gateway::RoutePtr route, protocol::HttpUrl echo, Milliseconds timeout,
            std::function<void(lifecycle::Looked)> done) override;
  lifecycle::Usage usage(ChipIndex chip) const override;
  void tunnels(std::function<void(std::vector<lifecycle::TunnelView>)> done) override;
  void cut(lifecycle::TunnelId id, std::function<void(bool)> done) override;
  void crowds(std::function<void(std::vector<lifecycle::Crowd>)> done) override;

  // From here on clients are limited, waited for and refused by these: limits, destinations, fail_style,
  // head_timeout and crowd_age. The rest is as it was at the start, and open tunnels go on.
  void take_on(const ProxyOptions& options);
  // Closes the ports; what is open or under way goes on.
  void leave();
  // Whether nothing is open or under way any more, told on the control thread.
  void ask_idle(std::function<void(bool)> tell);
  // Resets what is open, and ends the threads.
  void stop();

  std::size_t shard_count() const { return shards_.size(); }
  // Of the chips that listen now. Good until the next `listen` or `close`.
  std::span<const telemetry::ChipSample> chip_samples() const { return chip_samples_; }
  std::span<const telemetry::ShardCounters* const> shard_samples() const { return shard_samples_; }
  std::int64_t tunnels_open() const;

 private:
  PlaneShard& shard_of(ChipIndex chip) { return *shards_.at(chip.value() % shards_.size()); }
  template <class Function>
  void on_port(ChipIndex chip, Function function);
  // What all shards answer, together.
  template <class T>
  void gather(std::vector<T> (PlaneShard::*ask)() const, std::function<void(std::vector<T>)> done);

  PlaneOptions options_;
  boost::asio::io_context& control_;
  TunnelTally all_tunnels_;
  std::vector<std::unique_ptr<PlaneShard>> shards_;
  std::unordered_map<ChipIndex, std::shared_ptr<const PortCounters>> counters_;
  std::vector<telemetry::ChipSample> chip_samples_;
  std::vector<const telemetry::ShardCounters*> shard_samples_;
};

}  // namespace chipgate::proxy
