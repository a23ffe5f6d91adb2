// Dialer: the only code that connects a client's traffic to anything, and it connects to gateways alone.
#pragma once

#include "chipgate/base/result.hpp"
#include "chipgate/gateway/endpoint.hpp"
#include "chipgate/gateway/options.hpp"
#include "chipgate/gateway/route.hpp"
#include "chipgate/net/descriptors.hpp"
#include "chipgate/net/tls_client.hpp"
#include "chipgate/net/waiter.hpp"
#include "chipgate/protocol/authority.hpp"
#include "chipgate/telemetry/stage_watch.hpp"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace chipgate::gateway {

// The gateway's side of a tunnel.
struct Connected {
  net::EndPtr upstream;
  std::string early;                      // bytes that came behind the gateway's answer
  std::optional<IpAddress> exit_address;  // where the answer names it
};

// Whose dial this is. The waiter's deadline is the dialer's while it runs; everything ends at `until`.
struct Dial {
  net::Waiter& waiter;
  const Route& route;
  telemetry::StageWatch& watch;
  TimePoint until;
};

// One a shard. A warm pool will stand between `reach` and the network: it keeps connections that have no credentials
// yet, which is why reaching and asking are two steps.
class Dialer {
 public:
  // Throws std::runtime_error where the CA file cannot be read.
  Dialer(net::Shard& shard, const GatewayOptions& options, telemetry::ShardCounters& counters,
         EndpointObserver& observer);

  // A tunnel to the target: one gateway connection carries one CONNECT.
  net::Task<Result<Connected>> dial(Dial dial, protocol::Authority target);
  // A connection to the route's endpoint on which nothing was asked yet.
  net::Task<Result<net::EndPtr>> reach(Dial dial);
  // A connection for plain requests to the target: to an HTTP gateway as it is reached, through a SOCKS5 gateway a
  // tunnel.
  net::Task<Result<net::EndPtr>> reach_for_requests(Dial dial, protocol::Authority target);

  // What became of the first request on a connection for requests: its address answered, or let it wait in vain.
  void served(const Route&, const net::End& upstream);
  void mute(const Route&, const net::End& upstream);

  Endpoint& endpoint(EndpointIndex index) { return endpoints_.at(index.value()); }
  EndpointKind kind(const Route& route) { return endpoint(route.endpoint).options().kind; }

 private:
  net::Task<Result<Connected>> ask(Dial dial, net::EndPtr upstream, const protocol::Authority& target);
  Endpoint& begin(const Dial& dial);
  net::Task<Result<std::vector<SocketAddress>>> addresses_of(Dial dial, Endpoint& endpoint);
  net::Task<Result<net::EndPtr>> reach_address(Dial dial, Endpoint& endpoint, SocketAddress address, std::size_t left);
  enum class GoOn : std::uint8_t { with_the_next, not_at_all };
  // After an attempt to reach `address` that was begun at `tried`.
  GoOn goes_on(const Dial& dial, Endpoint& to, const SocketAddress& address, TimePoint tried, ErrorKind failed) const;
  net::Task<Result<net::EndPtr>> connect_to(Dial dial, const SocketAddress& address);
  net::Task<Result<void>> shake_hands(Dial dial, Endpoint& endpoint, net::End& upstream);
  TimePoint share(TimePoint until, std::size_t left) const;
  Error counted(const Dial& dial, TimePoint begun, Error error);
  void tell(EndpointIndex index, std::optional<EndpointNews> news);

  net::Shard& shard_;
  GatewayOptions options_;
  telemetry::ShardCounters& counters_;
  EndpointObserver& observer_;
  std::deque<Endpoint> endpoints_;
  std::optional<net::TlsClient> tls_;
  net::DescriptorReserve reserve_;
};

}  // namespace chipgate::gateway
