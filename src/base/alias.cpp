// Judging aliases.
#include "chipgate/base/alias.hpp"

#include <algorithm>

namespace chipgate {

std::optional<std::string_view> alias_complaint(std::string_view alias) {
  static_assert(longest_alias == 128, "the sentence below says it");
  if (alias.size() > longest_alias) return "is longer than 128 bytes";
  // It is printed in tables and logs, where it must not move the cursor.
  const auto control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
  if (std::ranges::any_of(alias, control)) return "contains a control character";
  return std::nullopt;
}

}  // namespace chipgate
