// Prove: whether the gateway does what chipgate builds on.
#pragma once

#include "chipgate/config/settings.hpp"

#include <iosfwd>

namespace chipgate::app {

// Asks an echo through two sessions and through one of them again: two sessions must give two exits, and one repeated
// the same. Prints each step; 0 if it holds, 1 if not.
int prove(const config::Settings& settings, std::ostream& out);

}  // namespace chipgate::app
