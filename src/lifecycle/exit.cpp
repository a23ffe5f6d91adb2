// What counts as one exit.
#include "chipgate/lifecycle/exit.hpp"

#include "chipgate/base/address.hpp"
#include "chipgate/lifecycle/options.hpp"

namespace chipgate::lifecycle {

IpAddress exit_of(const IpAddress& address, const LifeOptions& options) { return options.prefixes().exit_of(address); }

bool same_exit(const IpAddress& one, const IpAddress& other, const LifeOptions& options) {
  return exit_of(one, options) == exit_of(other, options);
}

}  // namespace chipgate::lifecycle
