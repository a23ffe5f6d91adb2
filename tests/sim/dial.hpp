// Leaving by an exit: a connection whose source is the session's loopback address.
#pragma once

#include "sim/gateway.hpp"
#include "sim/leg.hpp"

namespace chipgate::sim {

// To the simulator's origin, or to where the target is mapped. Empty: nobody listens there.
net::Task<net::EndPtr> dial(Connection& connection, IpAddress exit, Asked asked);

}  // namespace chipgate::sim
