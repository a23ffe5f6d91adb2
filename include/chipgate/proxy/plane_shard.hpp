// PlaneShard: one shard's thread with its ports, tunnels and gateway connections.
#pragma once

#include "chipgate/gateway/dialer.hpp"
#include "chipgate/lifecycle/data_plane.hpp"
#include "chipgate/net/listener.hpp"
#include "chipgate/net/shard.hpp"
#include "chipgate/proxy/plane.hpp"
#include "chipgate/proxy/port.hpp"
#include "chipgate/relay/relay.hpp"

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

namespace chipgate::proxy {

// Made and destroyed on the control thread; in between everything but `post` and the counters is the shard's.
class PlaneShard final : private PortEvents, private gateway::EndpointObserver {
 public:
  // `number` is its own among the shards, which share `all_tunnels`.
  PlaneShard(const PlaneOptions& options, boost::asio::io_context& control, telemetry::Log& log, std::uint64_t number,
             TunnelTally& all_tunnels);
  ~PlaneShard();

  void start(lifecycle::DataPlaneEvents& events);
  // From the control thread, after `start`. Resets what is open and waits for the thread to end.
  void stop();

  template <class Function>
  void post(Function&& function) {
    shard_.post(std::forward<Function>(function));
  }

  // What may change while ports are open; the rest of the options stays as it was.
  void take_on(const ProxyOptions& options);
  void open_port(ChipIndex index, const std::shared_ptr<PortCounters>& counters, net::UniqueFd listening);
  // `done` is called when the port is gone.
  void close_port(ChipIndex index, std::function<void()> done);
  // Nothing where it is closed.
  Port* port(ChipIndex index);
  std::unordered_map<ChipIndex, Port>& ports() { return ports_; }

  std::vector<lifecycle::TunnelView> tunnels() const;
  bool cut(lifecycle::TunnelId id);
  std::vector<lifecycle::Crowd> crowds() const;

  gateway::Dialer& dialer() { return dialer_; }
  const telemetry::ShardCounters& counters() const { return counters_; }

 private:
  void on_wanted(ChipIndex chip) override;
  void on_gateway_news(ChipIndex chip, Epoch epoch, const Error& error) override;
  void on_other_exit(ChipIndex chip, Epoch epoch, const IpAddress& seen) override;
  void on_same_exit(ChipIndex chip, Epoch epoch, const IpAddress& seen) override;
  void on_endpoint(EndpointIndex endpoint, gateway::EndpointNews news) override;
  void on_pause();

  ProxyOptions options_;
  boost::asio::io_context& control_;
  telemetry::Log& log_;
  lifecycle::DataPlaneEvents* events_ = nullptr;
  // In the order in which they depend on each other; the shard goes last.
  net::Shard shard_;
  telemetry::ShardCounters counters_;
  relay::Relay relay_;
  gateway::Dialer dialer_;
  net::PausedListeners paused_;
  TunnelIds tunnel_ids_;
  TunnelTally& all_tunnels_;
  std::unordered_map<ChipIndex, Port> ports_;
  TimePoint pause_told_{};
  std::thread thread_;
};

}  // namespace chipgate::proxy
