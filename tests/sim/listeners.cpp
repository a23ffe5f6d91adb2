// Opening, closing and serving ports.
#include "sim/listeners.hpp"

#include "chipgate/net/socket.hpp"
#include "sim/api.hpp"
#include "sim/gateway.hpp"
#include "sim/origin.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <system_error>

namespace chipgate::sim {
namespace {

constexpr std::array<ListenerKind, listener_kinds> all_kinds{ListenerKind::http, ListenerKind::https,
                                                             ListenerKind::socks5};

const SocketAddress& wanted(const SimulatorOptions& options, ListenerKind kind) {
  switch (kind) {
    case ListenerKind::http: return options.http;
    case ListenerKind::https: return options.https;
    case ListenerKind::socks5: return options.socks5;
  }
  return options.http;
}

// A socket that has the address, but does not listen: connections are refused until another one does. Two may have the
// same where both allow it and at most one listens.
net::UniqueFd hold(const SocketAddress& address) {
  net::UniqueFd fd(::socket(address.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (address.port != 0) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const KernelAddress kernel(address);
  if (!fd || ::bind(fd.get(), kernel.get(), kernel.length) != 0) {
    throw std::system_error(errno, std::generic_category(), "bind " + address.text());
  }
  // Where the kernel chooses, it looks for a port that nobody has.
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return fd;
}

std::unique_ptr<Port> gateway_port(World& world, ListenerKind kind) {
  return std::make_unique<Port>(world, wanted(world.options, kind), [&world, kind](net::EndPtr end, SocketAddress) {
    return serve_gateway(world, kind, std::move(end));
  });
}

}  // namespace

std::string_view name(ListenerKind kind) {
  switch (kind) {
    case ListenerKind::http: return "http";
    case ListenerKind::https: return "https";
    case ListenerKind::socks5: return "socks5";
  }
  return {};
}

Port::Port(World& world, const SocketAddress& address, Serve serve)
    : world_(world), serve_(std::move(serve)), held_(hold(address)), address_(local_address(held_.get())) {
  open();
}

void Port::open() {
  if (listener_) return;
  listener_ = std::make_unique<net::Listener>(world_.shard, world_.paused, *this, net::listen_on(address_));
}

void Port::on_accept(net::Listener&, net::EndPtr client, const SocketAddress& peer) {
  world_.shard.tasks().spawn(serve_(std::move(client), peer));
}

Listeners::Listeners(World& world)
    : world_(world),
      origin_(world, *SocketAddress::parse("127.0.0.1:0"),
              [&world](net::EndPtr end, SocketAddress from) { return serve_origin(world, std::move(end), from); }),
      api_(world, world.options.api,
           [this, &world](net::EndPtr end, SocketAddress) { return serve_api(world, *this, std::move(end)); }) {
  for (const auto kind : all_kinds) gateway_[static_cast<std::size_t>(kind)] = gateway_port(world, kind);
  world_.origin = origin_.address();
}

Ports Listeners::ports() const {
  return {address(ListenerKind::http), address(ListenerKind::https), address(ListenerKind::socks5), api_.address(),
          origin_.address()};
}

void Listeners::set_gateway(GatewayState state) {
  state_ = state;
  adjust();
}

void Listeners::adjust() {
  for (const auto kind : all_kinds) {
    if (state_ == GatewayState::down || world_.faults.refuses(kind)) {
      gateway(kind).close();
    } else {
      gateway(kind).open();
    }
  }
}

void Listeners::close() {
  for (const auto& port : gateway_) port->close();
  origin_.close();
  api_.close();
}

}  // namespace chipgate::sim
