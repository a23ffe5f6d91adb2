// Edit distance.
#include "nearest.hpp"

#include <algorithm>
#include <vector>

namespace chipgate::config {
namespace {

// Longer than any key, short enough that a hostile one costs nothing.
constexpr std::size_t longest = 64;

// Insertions, deletions, replacements, and two neighbours that changed places, which fingers do most.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> changes(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      auto& fewest = changes[i][j];
      if (i == 0 || j == 0) {
        fewest = i + j;
        continue;
      }
      const auto replaced = changes[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      fewest = std::min({replaced, changes[i - 1][j] + 1, changes[i][j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) fewest = std::min(fewest, changes[i - 2][j - 2] + 1);
    }
  }
  return changes[a.size()][b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view written, std::span<const std::string_view> words) {
  if (written.size() > longest) return std::nullopt;
  // A third of the letters: more is another word.
  std::size_t fewest = std::max<std::size_t>(written.size() / 3, 1) + 1;
  std::optional<std::string_view> found;
  for (const auto word : words) {
    const auto changes = distance(written, word);
    if (changes >= fewest) continue;
    fewest = changes;
    found = word;
  }
  return found;
}

}  // namespace chipgate::config
