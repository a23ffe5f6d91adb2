// Where chipgate is watched and controlled.
#pragma once

#include "chipgate/base/address.hpp"

#include <string>
#include <vector>

namespace chipgate::admin {

struct AdminOptions {
  SocketAddress listen{IpAddress::v4({127, 0, 0, 1}), 9310};
  // Names by which this server may be asked for, beside localhost and its own addresses.
  std::vector<std::string> hosts;
};

}  // namespace chipgate::admin
