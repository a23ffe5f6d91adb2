// Dialing past the gateway, to an origin whose address the test says.
#include "chipgate/gateway/dialer.hpp"

#include "chipgate/base/address.hpp"
#include "chipgate/gateway/ask.hpp"
#include "chipgate/net/socket.hpp"
#include "without.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <sys/socket.h>
#include <system_error>

namespace {

int connect_past_the_gateway(int fd, const sockaddr* gateway, socklen_t length) {
  const char* const origin = std::getenv("CHIPGATE_UNGUARDED_ORIGIN");
  if (!chipgate::unguarded::without("gateway") || origin == nullptr) return ::connect(fd, gateway, length);
  const chipgate::KernelAddress address(*chipgate::SocketAddress::parse(origin));
  return ::connect(fd, address.get(), address.length);
}

}  // namespace

#define connect(fd, address, length) connect_past_the_gateway(fd, address, length)
#include "../../../src/gateway/dialer.cpp"
#undef connect
