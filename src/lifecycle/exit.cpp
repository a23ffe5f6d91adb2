// What counts as one exit.
#include "chipgate/lifecycle/exit.hpp"

#include "chipgate/base/address.hpp"
#include "chipgate/lifecycle/options.hpp"

namespace chipgate::lifecycle {

IpAddress exit_of(const IpAddress& address, const LifeOptions& options) {
  return address.masked(address.is_v4() ? options.prefix_v4 : options.prefix_v6);
}

bool same_exit(const IpAddress& one, const IpAddress& other, const LifeOptions& options) {
  return exit_of(one, options) == exit_of(other, options);
}

}  // namespace chipgate::lifecycle
