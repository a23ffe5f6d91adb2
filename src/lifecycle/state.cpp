// The states' names.
#include "chipgate/lifecycle/state.hpp"

#include <array>

namespace chipgate::lifecycle {

std::string_view name(State state) {
  constexpr std::array<std::string_view, state_count> names{"released", "acquiring", "resuming", "active",
                                                            "renewing", "blocked",   "releasing"};
  return names.at(static_cast<std::size_t>(state));
}

}  // namespace chipgate::lifecycle
