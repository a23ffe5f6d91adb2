// The states of a chip's life.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chipgate::lifecycle {

enum class State : std::uint8_t {
  released,   // no assignment, and none is being drawn
  acquiring,  // drawing one, or waiting to draw again
  resuming,   // the assignment of an earlier process, not looked at yet: admits nothing
  active,     // open, looked at, admitting
  renewing,   // active, and its successor is being drawn or waits for a quiet moment
  blocked,    // no assignment until an operator connects
  releasing,  // fenced, and its row is not closed yet
};
inline constexpr std::size_t state_count = 7;

// "active"
std::string_view name(State);

}  // namespace chipgate::lifecycle
