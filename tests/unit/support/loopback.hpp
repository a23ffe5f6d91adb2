// Connections over the loopback interface: TCP has half-closes, resets and windows that a pair of local sockets lacks.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/net/socket.hpp"
#include "chipgate/net/unique_fd.hpp"

#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>

namespace chipgate::test {

inline SocketAddress loopback(std::uint16_t port = 0) { return {IpAddress::v4({127, 0, 0, 1}), port}; }

inline void set_option(int fd, int level, int option, int value) {
  ASSERT_EQ(::setsockopt(fd, level, option, &value, sizeof value), 0);
}

inline int option(int fd, int level, int which) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(fd, level, which, &value, &size), 0);
  return value;
}

// Connected when it returns, for the kernel finishes the handshake before anybody accepts.
inline net::UniqueFd connect_to(const SocketAddress& address, int receive_buffer = 0) {
  net::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw std::system_error(errno, std::generic_category(), "socket");
  // Before the connect, or the window that was offered stays.
  if (receive_buffer > 0) set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, receive_buffer);
  const KernelAddress kernel(address);
  if (::connect(fd.get(), kernel.get(), kernel.length) != 0) {
    throw std::system_error(errno, std::generic_category(), "connect");
  }
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  return fd;
}

struct TcpPair {
  net::UniqueFd ours;    // as a listener of chipgate accepts it
  net::UniqueFd theirs;  // the peer's
};

// `window` is the peer's receive buffer, small where a test needs the peer to block soon; 0 is the kernel's own.
inline TcpPair tcp_pair(int window = 0) {
  const auto listener = net::listen_on(loopback());
  TcpPair pair;
  pair.theirs = connect_to(local_address(listener.get()), window);
  pollfd waiting{listener.get(), POLLIN, 0};
  ::poll(&waiting, 1, 5'000);
  pair.ours = net::UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!pair.ours) throw std::system_error(errno, std::generic_category(), "accept4");
  if (window > 0) set_option(pair.ours.get(), SOL_SOCKET, SO_SNDBUF, window);
  return pair;
}

// Until the kernel has brought everything that was written on one side to the other: nothing here waits for a clock.
inline void settle(int writer) {
  for (int i = 0; i < 5'000 && net::unacknowledged(writer) > 0; ++i) ::poll(nullptr, 0, 1);
}

}  // namespace chipgate::test
