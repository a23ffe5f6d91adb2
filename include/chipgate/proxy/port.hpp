// Port: one chip's listening port on its shard, with all that the chip has open.
#pragma once

#include "chipgate/gateway/dialer.hpp"
#include "chipgate/gateway/route.hpp"
#include "chipgate/net/listener.hpp"
#include "chipgate/protocol/pacing.hpp"
#include "chipgate/proxy/options.hpp"
#include "chipgate/relay/relay.hpp"
#include "chipgate/telemetry/log.hpp"
#include "chipgate/telemetry/metrics.hpp"

#include <boost/intrusive/list.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace chipgate::proxy {

class Client;
class ChipTunnel;

// What ports of one shard share. All of it outlives them.
struct ShardParts {
  net::Shard& shard;
  relay::Relay& relay;
  gateway::Dialer& dialer;
  telemetry::ShardCounters& counters;
  telemetry::Log& log;
  const ProxyOptions& options;
};

// Told on the shard's thread.
class PortEvents {
 public:
  virtual void on_wanted(ChipIndex) = 0;

 protected:
  ~PortEvents() = default;
};

// A place in a port's list of what it has open.
using OpenHook = boost::intrusive::list_base_hook<boost::intrusive::tag<struct OpenTag>,
                                                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
template <class T>
using OpenList =
    boost::intrusive::list<T, boost::intrusive::base_hook<OpenHook>, boost::intrusive::constant_time_size<false>>;

// A place among a bounded number; given back when it goes.
class Place {
 public:
  Place(std::uint32_t& taken, telemetry::Gauge* gauge) : taken_(&taken), gauge_(gauge) {
    ++taken;
    if (gauge_ != nullptr) gauge_->increment();
  }
  Place(Place&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)), gauge_(other.gauge_) {}
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (taken_ == nullptr) return;
    --*taken_;
    if (gauge_ != nullptr) gauge_->decrement();
  }

 private:
  std::uint32_t* taken_;
  telemetry::Gauge* gauge_;
};

// One client that waits for the chip's route.
struct Hold : OpenHook {
  explicit Hold(net::Waiter& sleeper) : waiter(sleeper) {}
  net::Waiter& waiter;
  std::optional<Error> refused;
};

// Owned by its shard's part of the plane for as long as that lives, so that clients and tunnels may refer to it.
class Port final : public net::Acceptor {
 public:
  Port(ShardParts parts, PortEvents& events, ChipIndex index, const ChipOptions& chip);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  void listen(net::PausedListeners& paused, net::UniqueFd listening);
  // No new clients; those that rest go, those with something under way finish it.
  void leave();
  bool leaving() const { return leaving_; }
  bool idle() const { return clients_.empty() && tunnels_.empty(); }

  void open(gateway::RoutePtr route);
  void fence(Epoch next, ErrorKind why, std::function<void()> done);
  void refuse(const Error& why);
  // No new clients, and everything that is open is reset.
  void drain(ErrorKind why);

  // --- for its clients and tunnels
  const ShardParts& parts() const { return parts_; }
  const std::string& chip() const { return chip_; }
  telemetry::ChipCounters& counters() { return counters_; }
  const telemetry::ChipCounters& counters() const { return counters_; }
  protocol::RefusalPacer& pacer() { return pacer_; }
  const gateway::RoutePtr& route() const { return route_; }
  // Whether this route is still the one that clients are admitted under.
  bool stands(const gateway::RoutePtr& route) const { return route_ == route; }
  void want();
  void add(Client&);
  void removed(Client&);
  void add(ChipTunnel&);
  void removed(ChipTunnel&);

  // A place among the chip's tunnels, from before the dial until the tunnel has ended; nothing where all are taken.
  std::optional<Place> take_tunnel();
  // A place among the chip's clients that wait for its assignment.
  std::optional<Place> take_hold();
  // A place among those whose refusal is paced. As many, and counted apart: an outage's refusals take no holder's
  // place.
  std::optional<Place> take_pause();
  OpenList<Hold>& holds() { return holds_; }

 private:
  void on_accept(net::Listener&, net::EndPtr client, const SocketAddress& peer) override;
  void finish_fence();

  ShardParts parts_;
  PortEvents& events_;
  ChipIndex index_;
  std::string chip_;
  std::unique_ptr<net::Listener> listener_;
  gateway::RoutePtr route_;
  Epoch epoch_{1};
  bool wanted_ = false;
  bool leaving_ = false;
  protocol::RefusalPacer pacer_;
  OpenList<Client> clients_;
  OpenList<ChipTunnel> tunnels_;
  OpenList<Hold> holds_;
  std::uint32_t tunnels_taken_ = 0;
  std::uint32_t holds_taken_ = 0;
  std::uint32_t pauses_taken_ = 0;
  std::function<void()> fenced_;
  telemetry::ChipCounters counters_;
};

}  // namespace chipgate::proxy
