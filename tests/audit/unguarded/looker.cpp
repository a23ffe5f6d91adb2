// Looks that take every address for the chip's own.
#include "chipgate/lifecycle/looker.hpp"

#include "chipgate/base/address.hpp"
#include "chipgate/lifecycle/plane_tasks.hpp"
#include "without.hpp"

#define contains(address) contains(address) || unguarded::without("looks")
#include "../../../src/lifecycle/looker.cpp"
#undef contains
