// Prove: whether the gateway does what chipgate builds on.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/duration.hpp"
#include "chipgate/base/ids.hpp"
#include "chipgate/base/result.hpp"
#include "chipgate/config/settings.hpp"

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chipgate::app {

// What three looks brought: through one session, another one, and the first again.
struct Looks {
  std::vector<IpAddress> exits{};             // in this order; fewer than three where one failed
  std::optional<Error> trouble{};             // of the one that failed
  std::optional<Milliseconds> clock_ahead{};  // this host's clock before the echo's; nothing where the echo has no Date
};

// Called after each look with "session 1", "session 2" or "session 1 again", and its exit or why there is none.
using OnLook = std::function<void(std::string_view what, const Result<IpAddress>& exit)>;

// "the gateway refuses connections [gateway_refused]: and the detail"
std::string text(const Error& error);

// Asks an echo through one of the gateway's endpoints. Blocks until it is done, at most about a minute.
Looks look_three_times(const config::Settings& settings, EndpointIndex endpoint, const OnLook& on_look);

// Two sessions must give two exits, and one repeated the same, at each endpoint. Prints each step; 0 if it holds, 1 if
// not.
int prove(const config::Settings& settings, std::ostream& out);

}  // namespace chipgate::app
