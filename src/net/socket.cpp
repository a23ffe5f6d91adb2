// Sockets with the options of a tunnel's leg.
#include "chipgate/net/socket.hpp"

#include <cerrno>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <system_error>

namespace chipgate::net {
namespace {

// A peer that vanished without a word is found after 30 s of silence and three probes 10 s apart; one that vanished
// with our bytes unacknowledged after 60 s. Both far below the hours that the kernel would take.
constexpr int keepalive_idle_seconds = 30;
constexpr int keepalive_interval_seconds = 10;
constexpr int keepalive_probes = 3;
constexpr int user_timeout_milliseconds = 60'000;

void set(int fd, int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); }

void set_leg_options(int fd) {
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle_seconds);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval_seconds);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, keepalive_probes);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_milliseconds);
  // An urgent byte is a byte of the stream to a proxy, which would lose it otherwise.
  set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}

UniqueFd open_stream(const SocketAddress& address) {
  return UniqueFd(::socket(address.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

[[noreturn]] void fail(const SocketAddress& address, const char* what) {
  throw std::system_error(errno, std::generic_category(), what + (" " + address.text()));
}

}  // namespace

UniqueFd listen_on(const SocketAddress& address) {
  auto fd = open_stream(address);
  if (!fd) fail(address, "socket for");
  const bool chosen = address.port != 0;
  if (chosen) set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (!address.ip.is_v4()) set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  set_leg_options(fd.get());
  const KernelAddress kernel(address);
  if (::bind(fd.get(), kernel.get(), kernel.length) != 0) fail(address, "bind");
  // Where the address may be reused, the kernel searches one half of its range first, and once that is taken looks at
  // all of it for every port: after 7,000 each took milliseconds. Set afterwards, it still lets a restart have the port
  // while old connections linger.
  if (!chosen) set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (::listen(fd.get(), SOMAXCONN) != 0) fail(address, "listen on");
  return fd;
}

UniqueFd open_leg(const SocketAddress& to) {
  auto fd = open_stream(to);
  if (fd) set_leg_options(fd.get());
  return fd;
}

int unacknowledged(int fd) {
  int bytes = 0;
  return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

}  // namespace chipgate::net
