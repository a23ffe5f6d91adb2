// How long tunnels may be quiet.
#pragma once

#include "chipgate/base/duration.hpp"

namespace chipgate::relay {

struct RelayOptions {
  // Zero is off, the default: WhatsApp pings every 20 to 30 s, and tunnels live for days.
  Milliseconds idle_timeout{0};
  // After one side has ended, how long the other may be quiet.
  Milliseconds half_closed{60'000};
  // The client has sent and not a byte came back: the exit is dead. Less than a client's own patience (20 s).
  Milliseconds first_reply{15'000};
};

}  // namespace chipgate::relay
