// What the gateway says, in the protocol of its listener.
#pragma once

#include "sim/faults.hpp"

#include <string>

namespace chipgate::sim {

std::string established(ListenerKind listener, const protocol::Fields& headers);
// An HTTP answer that ends the connection, or a SOCKS reply.
std::string refused(ListenerKind listener, const Fault& fault);

// Refusals that are nobody's fault injected.
Fault unauthorized(std::string_view why);
Fault bad_request(std::string_view why);
Fault unreachable();

std::string_view reason_phrase(unsigned status);

}  // namespace chipgate::sim
