// Giving and reading session identifiers.
#include "chipgate/provider/session.hpp"

#include "chipgate/base/ascii.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace chipgate::provider {
namespace {

constexpr std::string_view prefix = "chip-";

// Below any time in microseconds since 1970-01-12, above any in seconds for 30,000 years. It keeps the two apart on a
// machine that starts without a clock, in 1970.
constexpr std::uint64_t smallest_microseconds = 1'000'000'000'000;

std::uint64_t since_epoch(std::int64_t count) { return count < 0 ? 0 : static_cast<std::uint64_t>(count); }

}  // namespace

std::optional<SessionParts> parse_session(const SessionIdentifier& identifier) {
  const std::string_view text = identifier.value();
  if (!text.starts_with(prefix)) return std::nullopt;
  const auto dash = text.rfind('-');
  if (dash < prefix.size()) return std::nullopt;
  const auto number = parse_decimal(text.substr(dash + 1), UINT64_MAX);
  auto chip = ChipId::parse(text.substr(prefix.size(), dash - prefix.size()));
  if (!number || !chip) return std::nullopt;
  return SessionParts{std::move(*chip), *number};
}

SessionIdentifier SessionNames::next(const ChipId& chip, WallTime now) {
  using std::chrono::floor;
  const auto time = now.time_since_epoch();
  const auto seconds = since_epoch(floor<std::chrono::seconds>(time).count());
  const auto microseconds = since_epoch(floor<std::chrono::microseconds>(time).count());
  auto& last = last_[chip];
  std::uint64_t number = seconds;
  // Seconds only ever rise: when the clock steps back, they count as taken, and nothing but the last needs keeping.
  if (seconds > last.seconds) {
    last.seconds = seconds;
  } else {
    number = last.microseconds = std::max({microseconds, last.microseconds + 1, smallest_microseconds});
  }
  return SessionIdentifier(std::string(prefix) + chip.value() + "-" + std::to_string(number));
}

}  // namespace chipgate::provider
