// An open tunnel: two flows, until both ended or something goes wrong on demand.
#pragma once

#include "sim/faults.hpp"
#include "sim/leg.hpp"

#include <optional>
#include <string>

namespace chipgate::sim {

// Returns when both legs are closed. `session` is none for a rotating exit.
net::Task<void> carry(Connection& connection, Leg& client, Leg& exit, std::optional<std::string> session,
                      std::optional<Fault> fault);

}  // namespace chipgate::sim
