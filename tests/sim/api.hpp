// The control API: requests as commands on the simulator's state.
#pragma once

#include "sim/listeners.hpp"

#include <string>
#include <string_view>

namespace chipgate::sim {

struct ApiRequest {
  std::string method;
  std::string target;  // path and query
  std::string body;
};

struct ApiAnswer {
  unsigned status = 200;
  std::string body{};
};

ApiAnswer answer_api(World& world, Listeners& listeners, const ApiRequest& request);

// One request after another, over HTTP.
net::Task<void> serve_api(World& world, Listeners& listeners, net::EndPtr client);

}  // namespace chipgate::sim
