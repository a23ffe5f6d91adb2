// Port: one chip's listening port on its shard, with all that the chip has open.
#pragma once

#include "chipgate/gateway/dialer.hpp"
#include "chipgate/gateway/route.hpp"
#include "chipgate/lifecycle/data_plane.hpp"
#include "chipgate/net/listener.hpp"
#include "chipgate/protocol/pacing.hpp"
#include "chipgate/proxy/gateway_news.hpp"
#include "chipgate/proxy/options.hpp"
#include "chipgate/proxy/places.hpp"
#include "chipgate/proxy/port_counters.hpp"
#include "chipgate/relay/relay.hpp"
#include "chipgate/telemetry/log.hpp"
#include "chipgate/telemetry/metrics.hpp"

#include <boost/intrusive/list.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace chipgate::proxy {

class Client;
class ChipTunnel;
class PortLook;

// Numbers for the tunnels of one shard: the shard's own number in the high bits makes them unique in the process.
class TunnelIds {
 public:
  explicit TunnelIds(std::uint64_t shard) : last_(shard << shard_shift) {}

  lifecycle::TunnelId next() { return lifecycle::TunnelId(++last_); }
  static std::uint64_t shard_of(lifecycle::TunnelId id) { return id.value() >> shard_shift; }

 private:
  static constexpr unsigned shard_shift = 48;
  std::uint64_t last_;
};

// What ports of one shard share. All of it outlives them.
struct ShardParts {
  net::Shard& shard;
  relay::Relay& relay;
  gateway::Dialer& dialer;
  telemetry::ShardCounters& counters;
  telemetry::Log& log;
  const ProxyOptions& options;
  TunnelIds& tunnel_ids;
  TunnelTally& all_tunnels;  // other shards' too
};

// Told on the shard's thread.
class PortEvents {
 public:
  virtual void on_wanted(ChipIndex) = 0;
  virtual void on_gateway_news(ChipIndex, Epoch, const Error&) = 0;
  virtual void on_other_exit(ChipIndex, Epoch, const IpAddress& seen) = 0;
  virtual void on_same_exit(ChipIndex, Epoch, const IpAddress& seen) = 0;

 protected:
  ~PortEvents() = default;
};

// A place in a port's list of what it has open.
using OpenHook = boost::intrusive::list_base_hook<boost::intrusive::tag<struct OpenTag>,
                                                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
template <class T>
using OpenList =
    boost::intrusive::list<T, boost::intrusive::base_hook<OpenHook>, boost::intrusive::constant_time_size<false>>;

// One client that waits for the chip's route.
struct Hold : OpenHook {
  explicit Hold(net::Waiter& sleeper) : waiter(sleeper) {}
  net::Waiter& waiter;
  std::optional<Error> refused;
};

// One client whose request is not complete.
struct Asking : OpenHook {
  Asking(net::Waiter& asking, Place taken) : waiter(asking), place(std::move(taken)) {}
  net::Waiter& waiter;
  Place place;
};

// Owned by its shard's part of the plane until it is closed and empty, so that clients, tunnels and looks may refer to
// it. One thread: its shard's.
class Port final : public net::Acceptor {
 public:
  Port(ShardParts parts, PortEvents& events, ChipIndex index, std::shared_ptr<PortCounters> counters);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  void listen(net::PausedListeners& paused, net::UniqueFd listening);
  // No new clients; those that rest go, those with something under way finish it.
  void leave();
  bool leaving() const { return leaving_; }
  bool idle() const { return clients_.empty() && tunnels_.empty(); }

  // Instead of the limit in the options; 0 is none, nothing is that of the options.
  void limit_whatsapp(std::optional<std::uint32_t> most) { most_whatsapp_sessions_ = most; }
  void open(gateway::RoutePtr route);
  void withhold();
  void fence(Epoch next, ErrorKind why, std::function<void()> done);
  void refuse(const Error& why);
  void explain(const Error& why) { why_held_ = info(why.kind).name; }
  // No new clients, and everything that is open is reset.
  void drain(ErrorKind why);
  // The same for good. `done` may destroy the port: it is called by post, when nothing refers to it any more.
  void close(std::function<void()> done);

  void look(gateway::RoutePtr route, protocol::HttpUrl echo, Milliseconds timeout,
            std::function<void(lifecycle::Looked)> done);
  std::vector<lifecycle::TunnelView> tunnels() const;
  // Resets it; false where it is none of this port's.
  bool cut(lifecycle::TunnelId id);
  // Open tunnels to WhatsApp that are old enough to be sessions of their own.
  std::uint32_t whatsapp_sessions() const;

  // --- for its clients, tunnels and looks
  const ShardParts& parts() const { return parts_; }
  ChipIndex index() const { return index_; }
  const std::string& chip() const { return counters_->chip; }
  PortCounters& counters() { return *counters_; }
  const PortCounters& counters() const { return *counters_; }
  protocol::RefusalPacer& pacer() { return pacer_; }
  const gateway::RoutePtr& route() const { return route_; }
  // Whether clients are still admitted under this route, or one that differs only in what is known of its exits.
  bool stands(const gateway::RoutePtr& route) const;
  // Somebody holds on for the chip's route.
  void want();
  // What the chip's last try failed with: "gateway_refused". Empty where nothing has failed.
  std::string_view why_held() const { return why_held_; }
  void add(Client&);
  void removed(Client&);
  void add(ChipTunnel&);
  void removed(ChipTunnel&);
  void add(PortLook&);
  void removed(PortLook&);

  // What a gateway's reply names as the exit, and what that says; it is told if it is news.
  gateway::ExitVerdict exit_named(const gateway::Route& route, const IpAddress& seen);
  void other_exit(const gateway::Route& route, const IpAddress& seen);
  // A client's way through this route ended so at the gateway.
  void gateway_failed(const gateway::RoutePtr& route, const Error& error);
  // Whether one more tunnel to this target would be one WhatsApp session too many.
  bool crowded(const protocol::Authority& target) const;

  // A place among the chip's tunnels and those of all chips, from before the dial until the tunnel has ended; an error
  // where all of one of them are taken.
  Result<TunnelPlace> take_tunnel();
  // A place among the chip's clients that wait for its assignment.
  std::optional<Place> take_hold();
  // A place among those whose refusal is paced. As many, and counted apart: an outage's refusals take no holder's
  // place.
  std::optional<Place> take_pause();
  // A plain request on its way; as many as there are places among the tunnels.
  Place take_request() { return {requests_taken_, &counters_->requests_open}; }
  OpenList<Hold>& holds() { return holds_; }
  // A place among those whose request is not complete. There always is one: where all are taken, whoever has had its
  // place for the longest is refused.
  Place take_handshake();
  OpenList<Asking>& asking() { return asking_; }

 private:
  void on_accept(net::Listener&, net::EndPtr client, const SocketAddress& peer) override;
  void finish_fence();
  void finish_close();

  ShardParts parts_;
  PortEvents& events_;
  ChipIndex index_;
  std::shared_ptr<PortCounters> counters_;
  std::unique_ptr<net::Listener> listener_;
  gateway::RoutePtr route_;
  Epoch epoch_{1};
  bool wanted_ = false;
  std::string_view why_held_{};  // of the error table
  bool leaving_ = false;
  bool ended_ = false;  // drained or closed: nothing may begin
  protocol::RefusalPacer pacer_;
  GatewayNews news_;
  OnceASecond same_exit_told_;
  OpenList<Client> clients_;
  OpenList<ChipTunnel> tunnels_;
  OpenList<PortLook> looks_;
  OpenList<Hold> holds_;
  OpenList<Asking> asking_;                                // the longest first
  std::optional<std::uint32_t> most_whatsapp_sessions_{};  // where it is not that of the options
  std::uint32_t tunnels_taken_ = 0;
  std::uint32_t holds_taken_ = 0;
  std::uint32_t handshakes_taken_ = 0;
  std::uint32_t requests_taken_ = 0;
  std::uint32_t pauses_taken_ = 0;
  std::function<void()> fenced_;
  std::function<void()> closed_;
};

}  // namespace chipgate::proxy
