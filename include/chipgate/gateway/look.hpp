// Look: asking an echo through a session which address targets see.
#pragma once

#include "chipgate/gateway/dialer.hpp"
#include "chipgate/protocol/authority.hpp"

namespace chipgate::gateway {

// Over plain HTTP: an echo costs two round trips and a few hundred bytes, and there is nothing to hide from it.
net::Task<Result<IpAddress>> look(Dialer& dialer, Dial dial, protocol::HttpUrl echo);

}  // namespace chipgate::gateway
