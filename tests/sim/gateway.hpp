// The provider's gateway: what happens on a connection to one of its listeners.
#pragma once

#include "sim/account.hpp"
#include "sim/faults.hpp"
#include "sim/leg.hpp"

namespace chipgate::sim {

// From accept to close.
net::Task<void> serve_gateway(World& world, ListenerKind listener, net::EndPtr client);

// --- for the protocols

struct Asked {
  ListenerKind listener;
  Login login;
  protocol::Authority target;
};

Circumstances circumstances(const Asked& asked, const std::string& target_text);

// Answers, and carries the tunnel to its end.
net::Task<void> open_tunnel(Connection& connection, Leg& client, Asked asked);

// What stops a request: true, and it has been answered or dropped as the fault says. `slow` has only waited.
net::Task<bool> stopped_by(Connection& connection, Leg& client, const Asked& asked, const std::optional<Fault>& fault);

// Writes the refusal and closes.
net::Task<void> refuse(Connection& connection, Leg& client, ListenerKind listener, Fault fault);

net::Task<void> serve_http(Connection& connection, Leg& client, ListenerKind listener);
net::Task<void> serve_socks(Connection& connection, Leg& client);

}  // namespace chipgate::sim
