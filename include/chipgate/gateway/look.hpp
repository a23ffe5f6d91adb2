// Look: asking an echo through a session which address targets see.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/gateway/dialer.hpp"
#include "chipgate/protocol/authority.hpp"

#include <cstdint>
#include <optional>

namespace chipgate::gateway {

// What a look brought, and what it cost: the request and the page with their heads, without what TCP, TLS or SOCKS add.
struct Seen {
  Result<IpAddress> address;
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  // What the page's Date says, where it has one.
  std::optional<WallTime> date{};
};

// Over plain HTTP: an echo costs two round trips and a few hundred bytes, and there is nothing to hide from it.
net::Task<Seen> look(Dialer& dialer, Dial dial, protocol::HttpUrl echo);

}  // namespace chipgate::gateway
