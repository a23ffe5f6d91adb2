// The simulator's listening sockets; the gateway's can go away and come back on the same ports.
#pragma once

#include "sim/world.hpp"

#include <array>
#include <functional>
#include <memory>

namespace chipgate::sim {

// A port that hands every connection to a coroutine. One thread.
class Port final : public net::Acceptor {
 public:
  using Serve = std::function<net::Task<void>(net::EndPtr, SocketAddress peer)>;

  // Throws std::system_error where the address cannot be bound.
  Port(World& world, const SocketAddress& address, Serve serve);

  // With the port that the kernel chose, for good.
  const SocketAddress& address() const { return address_; }
  void open();
  void close() { listener_.reset(); }

 private:
  void on_accept(net::Listener&, net::EndPtr client, const SocketAddress& peer) override;

  World& world_;
  Serve serve_;
  // Bound and never listening: while the port is closed, nobody else on this host is given it.
  net::UniqueFd held_;
  SocketAddress address_;
  std::unique_ptr<net::Listener> listener_;
};

enum class GatewayState : std::uint8_t { up, down };

class Listeners {
 public:
  explicit Listeners(World& world);

  Ports ports() const;
  // Down: connections are refused until it is up again.
  void set_gateway(GatewayState state);
  // Opens and closes the gateway's ports as its state and the faults that stand say.
  void adjust();
  void close();

 private:
  Port& gateway(ListenerKind kind) { return *gateway_[static_cast<std::size_t>(kind)]; }
  const SocketAddress& address(ListenerKind kind) const { return gateway_[static_cast<std::size_t>(kind)]->address(); }

  World& world_;
  std::array<std::unique_ptr<Port>, listener_kinds> gateway_;
  Port origin_;
  Port api_;
  GatewayState state_ = GatewayState::up;
};

}  // namespace chipgate::sim
