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
#include <deque>
#include <thread>

namespace chipgate::proxy {

// Made and destroyed on the control thread; in between everything but `post` and the counters is the shard's.
class PlaneShard final : private PortEvents, private gateway::EndpointObserver {
 public:
  PlaneShard(const PlaneOptions& options, boost::asio::io_context& control, telemetry::Log& log);
  ~PlaneShard();

  // Before `start`.
  Port& add_port(ChipIndex index, const ChipOptions& chip, net::UniqueFd listening);
  void start(lifecycle::DataPlaneEvents& events);
  // From the control thread, after `start`. Resets what is open and waits for the thread to end.
  void stop();

  template <class Function>
  void post(Function&& function) {
    shard_.post(std::forward<Function>(function));
  }

  Port& port(std::size_t place) { return ports_.at(place); }
  std::deque<Port>& ports() { return ports_; }
  gateway::Dialer& dialer() { return dialer_; }
  const telemetry::ShardCounters& counters() const { return counters_; }

 private:
  void on_wanted(ChipIndex chip) override;
  void on_endpoint(EndpointIndex endpoint, gateway::EndpointNews news) override;
  void on_pause();

  const PlaneOptions& options_;
  boost::asio::io_context& control_;
  telemetry::Log& log_;
  lifecycle::DataPlaneEvents* events_ = nullptr;
  // In the order in which they depend on each other; the shard goes last.
  net::Shard shard_;
  telemetry::ShardCounters counters_;
  relay::Relay relay_;
  gateway::Dialer dialer_;
  net::PausedListeners paused_;
  std::deque<Port> ports_;
  TimePoint pause_told_{};
  std::thread thread_;
};

}  // namespace chipgate::proxy
