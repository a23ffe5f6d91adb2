// Writing and reading durations and times.
#include "chipgate/base/duration.hpp"

#include "chipgate/base/ascii.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace chipgate {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};

constexpr std::array<Unit, 5> units{{{"d", 86'400'000}, {"h", 3'600'000}, {"min", 60'000}, {"s", 1'000}, {"ms", 1}}};

// A hundred years: far beyond any setting, far below overflow.
constexpr std::int64_t longest = std::int64_t{100} * 365 * 86'400'000;

}  // namespace

std::optional<Milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return Milliseconds(0);
  const auto digits = text.find_first_not_of("0123456789");
  if (digits == std::string_view::npos) return std::nullopt;
  for (const auto& unit : units) {
    if (text.substr(digits) != unit.name) continue;
    const auto most = static_cast<std::uint64_t>(longest / unit.milliseconds);
    const auto count = parse_decimal(text.substr(0, digits), most);
    if (!count) return std::nullopt;
    return Milliseconds(static_cast<std::int64_t>(*count) * unit.milliseconds);
  }
  return std::nullopt;
}

std::string format_duration(Milliseconds duration) {
  const auto count = duration.count();
  if (count == 0) return "0s";
  for (const auto& unit : units) {
    if (count % unit.milliseconds == 0) return std::to_string(count / unit.milliseconds) + std::string(unit.name);
  }
  return std::to_string(count) + "ms";
}

std::string rfc3339(WallTime time) {
  const auto since = std::chrono::floor<Milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const std::time_t whole = static_cast<std::time_t>(seconds.count());
  std::tm parts{};
  ::gmtime_r(&whole, &parts);
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>((since - seconds).count()));
  return buffer.data();
}

}  // namespace chipgate
