// Asking a connected gateway for a tunnel, over HTTP CONNECT or SOCKS5.
#pragma once

#include "chipgate/gateway/dialer.hpp"

namespace chipgate::gateway {

// RFC 9110 section 9.3.6. Any 2xx opens the tunnel.
net::Task<Result<Connected>> ask_http(net::Waiter& waiter, net::EndPtr upstream, const Route& route,
                                      const protocol::Authority& target);
// RFC 1928 with RFC 1929.
net::Task<Result<Connected>> ask_socks5(net::Waiter& waiter, net::EndPtr upstream, const Route& route,
                                        const protocol::Authority& target);

// What a failed write to or read from a gateway means before its answer.
Error gateway_failure(const net::IoOutcome& outcome);

}  // namespace chipgate::gateway
