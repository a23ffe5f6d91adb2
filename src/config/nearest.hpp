// The word that somebody probably meant.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace chipgate::config {

// The one of `words` that needs the fewest letters changed, if those are few enough for a slip.
std::optional<std::string_view> nearest(std::string_view written, std::span<const std::string_view> words);

}  // namespace chipgate::config
