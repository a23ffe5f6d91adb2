// Making sockets with the options that every leg of a tunnel needs.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/net/unique_fd.hpp"

namespace chipgate::net {

// A bound, listening, non-blocking TCP socket. What it accepts inherits its options: no delay, keepalive, user timeout,
// urgent bytes in line (seven system calls less a client). Throws std::system_error: it is start-up's.
UniqueFd listen_on(const SocketAddress&);

// A non-blocking TCP socket of the address's family with the same options, not connected: only gateway/ dials. Empty,
// with errno, where there is no descriptor left.
UniqueFd open_leg(const SocketAddress& to);

// Bytes written to this socket that the peer has not acknowledged (SIOCOUTQ).
int unacknowledged(int fd);

}  // namespace chipgate::net
