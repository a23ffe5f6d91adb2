// What a chip may be called.
#include "chipgate/base/ids.hpp"

#include "chipgate/base/ascii.hpp"

#include <algorithm>

namespace chipgate {
namespace {

constexpr std::size_t longest_chip_id = 64;

bool allowed(char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; }

}  // namespace

std::optional<ChipId> ChipId::parse(std::string_view text) {
  if (text.empty() || text.size() > longest_chip_id || !std::ranges::all_of(text, allowed)) return std::nullopt;
  return ChipId(std::string(text));
}

}  // namespace chipgate
