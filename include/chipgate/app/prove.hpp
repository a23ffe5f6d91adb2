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
  std::optional<Error> trouble{};             // of the one that failed; nothing where there is no echo to ask
  std::optional<Milliseconds> clock_ahead{};  // this host's clock before the echo's; nothing where the echo has no Date
};

// Called after each look with "session 1", "session 2" or "session 1 again", and its exit or why there is none.
using OnLook = std::function<void(std::string_view what, const Result<IpAddress>& exit)>;

// Asks an echo through one of the gateway's endpoints: one of IPv4, or of IPv6 where there are none. Blocks until it is
// done. A look waits at most 15 s for each of the echoes, and where the provider fails it is made once more: with three
// echoes that is 4.5 min at worst.
Looks look_three_times(const config::Settings& settings, EndpointIndex endpoint, const OnLook& on_look);

// Two sessions must give two exits, and one repeated the same, at each endpoint. Prints each step; 0 if it holds, 1 if
// not.
int prove(const config::Settings& settings, std::ostream& out);

}  // namespace chipgate::app
