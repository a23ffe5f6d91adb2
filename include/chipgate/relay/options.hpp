// How long tunnels, and plain requests, may be quiet.
#pragma once

#include "chipgate/base/duration.hpp"

namespace chipgate::relay {

struct RelayOptions {
  // Zero is off, the default: WhatsApp pings every 20 to 30 s, and tunnels live for days. Also for gaps within a plain
  // request's body and within its answer.
  Milliseconds idle_timeout{0};
  // After one side has ended, how long the other may be quiet.
  Milliseconds half_closed{60'000};
  // The client has sent and not a byte came back: the exit is dead. Less than a client's own patience (20 s). Also from
  // a plain request, or the last byte of its body that went through, to its answer.
  Milliseconds first_reply{15'000};
};

}  // namespace chipgate::relay
