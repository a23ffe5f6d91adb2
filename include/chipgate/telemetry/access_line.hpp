// The one line that a client leaves in the log when it ends, with or without a tunnel.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/duration.hpp"
#include "chipgate/base/errors.hpp"
#include "chipgate/telemetry/log.hpp"
#include "chipgate/telemetry/stage.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace chipgate::telemetry {

enum class Outcome : std::uint8_t { refused, established };

// Filled and written at once: the texts are borrowed. What is empty or zero was never known and is left out, except the
// bytes of an established tunnel. There is no place for credentials, and `detail` must be free of them.
struct AccessLine {
  Outcome outcome = Outcome::refused;
  ErrorKind ended = ErrorKind::client_closed;
  std::string_view detail;  // what only this occurrence knows: the provider's reason, errno's text
  std::string_view chip;
  std::string_view session;   // the session identifier
  std::string_view protocol;  // how the client spoke: connect, http, socks5, socks4a
  std::string_view target;    // host:port
  std::string_view endpoint;  // the gateway's endpoint
  std::optional<IpAddress> exit_ip;
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  StageTimes stages;
  Clock::duration open{};  // from the tunnel's opening to its end
};

// As the event "tunnel" or "refused", where access lines are on.
void write(Log&, const AccessLine&);

}  // namespace chipgate::telemetry
