// Connecting from an exit's address.
#include "sim/dial.hpp"

#include "sim/world.hpp"

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>

namespace chipgate::sim {
namespace {

void set(int fd, int level, int option) {
  const int on = 1;
  ::setsockopt(fd, level, option, &on, sizeof on);
}

// The port is chosen by connect and not by bind: a pair of addresses then has as many as there are, instead of all
// exits sharing one range.
net::UniqueFd begin_connect(const IpAddress& from, const SocketAddress& to) {
  net::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  set(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
  set(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  set(fd.get(), SOL_SOCKET, SO_OOBINLINE);  // an urgent byte would cut a read short
  const KernelAddress source(SocketAddress{from, 0});
  const KernelAddress destination(to);
  if (::bind(fd.get(), source.get(), source.length) != 0) return {};
  if (::connect(fd.get(), destination.get(), destination.length) != 0 && errno != EINPROGRESS) return {};
  return fd;
}

}  // namespace

net::Task<net::EndPtr> dial(Connection& connection, IpAddress exit, Asked asked) {
  auto& world = connection.world();
  const auto mapped = world.names.find(asked.target);
  const auto to = mapped.value_or(world.origin);
  if (!to.ip.is_loopback()) throw std::logic_error("the simulator connects to nothing but this host");
  auto fd = begin_connect(exit, to);
  if (!fd) co_return nullptr;
  const auto source = local_address(fd.get());
  if (!mapped) world.expected[source] = {asked.target.text(), asked.login.session.value_or("")};
  auto end = world.shard.set().add(std::move(fd));
  const auto ready = co_await connection.waiter().writable(*end);
  if (ready.has_error() || end->take_error() != 0 || end->broken()) {
    world.expected.erase(source);
    co_return nullptr;
  }
  co_return end;
}

}  // namespace chipgate::sim
