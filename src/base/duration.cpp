// Writing and reading durations and times.
#include "chipgate/base/duration.hpp"

#include "chipgate/base/ascii.hpp"

#include <algorithm>
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

// A wall time counts nanoseconds in 64 bits, which is 292 years to both sides of 1970. None was before that here.
constexpr unsigned first_year = 1970;
constexpr unsigned last_year = 2199;

// A hundred years: far beyond any setting, far below overflow.
constexpr std::int64_t longest = std::int64_t{100} * 365 * 86'400'000;

// Takes `count` digits from the front; nothing where they are not there or say more than `most`.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t count, unsigned most) {
  if (text.size() < count) return std::nullopt;
  unsigned number = 0;
  for (const char digit : text.substr(0, count)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(digit - '0');
  }
  text.remove_prefix(count);
  return number <= most ? std::optional(number) : std::nullopt;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || lower(text.front()) != lower(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

// ".678": digits beyond the microsecond are dropped.
std::optional<std::chrono::microseconds> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return std::chrono::microseconds(0);
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0) return std::nullopt;
  std::int64_t microseconds = 0;
  for (std::size_t i = 0; i < 6; ++i) microseconds = microseconds * 10 + (i < digits ? text[i] - '0' : 0);
  text.remove_prefix(digits);
  return std::chrono::microseconds(microseconds);
}

// "Z" or "-03:00", and nothing behind it.
std::optional<std::chrono::minutes> take_offset(std::string_view text) {
  if (take(text, 'Z')) return text.empty() ? std::optional(std::chrono::minutes(0)) : std::nullopt;
  const bool east = take(text, '+');
  if (!east && !take(text, '-')) return std::nullopt;
  const auto hours = take_digits(text, 2, 23);
  const bool colon = take(text, ':');
  const auto minutes = take_digits(text, 2, 59);
  if (!hours || !colon || !minutes || !text.empty()) return std::nullopt;
  const auto offset = std::chrono::minutes(*hours * 60 + *minutes);
  return east ? offset : -offset;
}

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

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  const auto year = take_digits(text, 4, last_year);
  bool formed = year && *year >= first_year && take(text, '-');
  const auto month = formed ? take_digits(text, 2, 12) : std::nullopt;
  formed = month && take(text, '-');
  const auto day = formed ? take_digits(text, 2, 31) : std::nullopt;
  formed = day && take(text, 'T');
  const auto hour = formed ? take_digits(text, 2, 23) : std::nullopt;
  formed = hour && take(text, ':');
  const auto minute = formed ? take_digits(text, 2, 59) : std::nullopt;
  formed = minute && take(text, ':');
  const auto second = formed ? take_digits(text, 2, 60) : std::nullopt;  // a leap second is the next minute's first
  const auto fraction = second ? take_fraction(text) : std::nullopt;
  const auto offset = fraction ? take_offset(text) : std::nullopt;
  if (!offset) return std::nullopt;
  const auto date = std::chrono::year(static_cast<int>(*year)) / std::chrono::month(*month) / std::chrono::day(*day);
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second) + *fraction - *offset;
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
