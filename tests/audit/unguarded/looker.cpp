// Looks that take every address for the chip's own.
#include "chipgate/lifecycle/looker.hpp"

#include "chipgate/base/address.hpp"
#include "chipgate/lifecycle/exit.hpp"
#include "chipgate/lifecycle/plane_tasks.hpp"
#include "without.hpp"

namespace chipgate::lifecycle {
namespace {

// Nobody's to call but the looks': a name that they no longer ask for is a function that nothing uses, and no build.
bool same_or_unlooked(const IpAddress& one, const IpAddress& other, const LifeOptions& options) {
  return unguarded::without("looks") || same_exit(one, other, options);
}

}  // namespace
}  // namespace chipgate::lifecycle

#define same_exit(one, other, options) same_or_unlooked(one, other, options)
#include "../../../src/lifecycle/looker.cpp"
#undef same_exit
