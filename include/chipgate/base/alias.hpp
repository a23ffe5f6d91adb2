// A chip's other name, for people: what the file and the API take for one.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace chipgate {

inline constexpr std::size_t longest_alias = 128;  // in bytes

// What is wrong with it, or nothing.
std::optional<std::string_view> alias_complaint(std::string_view alias);

}  // namespace chipgate
