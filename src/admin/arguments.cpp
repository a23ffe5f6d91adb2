// Reading a path and a query.
#include "asked.hpp"
#include "chipgate/base/ascii.hpp"

#include <algorithm>

namespace chipgate::admin {
namespace {

std::string quoted(std::string_view text) { return "'" + std::string(text.substr(0, 80)) + "'"; }

}  // namespace

std::optional<std::string> Arguments::text(std::string_view key) {
  const auto found = std::ranges::find(call_.query, key, &std::pair<std::string, std::string>::first);
  if (found == call_.query.end()) return std::nullopt;
  return found->second;
}

std::optional<ChipId> Arguments::chip(std::string_view key) {
  const auto written = text(key);
  if (!written) return std::nullopt;
  auto id = ChipId::parse(*written);
  if (!id) refusal_.bad_value(key, quoted(*written) + " is no chip's id");
  return id;
}

std::optional<IpAddress> Arguments::address(std::string_view key) {
  const auto written = text(key);
  if (!written) return std::nullopt;
  const auto address = IpAddress::parse(*written);
  if (!address) refusal_.bad_value(key, quoted(*written) + " is not an IP address");
  return address;
}

std::optional<WallTime> Arguments::time(std::string_view key) {
  const auto written = text(key);
  if (!written) return std::nullopt;
  const auto time = parse_rfc3339(*written);
  if (!time) {
    refusal_.bad_value(key, quoted(*written) + " is not a time like 2026-01-31T15:04:05Z (a + is written %2B)");
  }
  return time;
}

std::optional<std::string> Arguments::day(std::string_view key) {
  auto written = text(key);
  if (!written) return std::nullopt;
  if (!parse_rfc3339(*written + "T00:00:00Z")) {
    refusal_.bad_value(key, quoted(*written) + " is not a day like 2026-01-31");
  }
  return written;
}

std::uint64_t Arguments::number(std::string_view key, std::uint64_t fallback, NumberBounds bounds) {
  const auto written = text(key);
  if (!written) return fallback;
  const auto number = parse_decimal(*written, bounds.most);
  if (number && *number >= bounds.least) return *number;
  refusal_.bad_value(key, quoted(*written) + " is not a whole number from " + std::to_string(bounds.least) + " to " +
                              std::to_string(bounds.most));
  return fallback;
}

Milliseconds Arguments::duration(std::string_view key, Milliseconds fallback, Milliseconds most) {
  const auto written = text(key);
  if (!written) return fallback;
  const auto duration = parse_duration(*written);
  if (duration && *duration <= most) return *duration;
  refusal_.bad_value(key, quoted(*written) + " is not a duration of at most " + format_duration(most) + ", like 15s");
  return fallback;
}

ChipId Arguments::chip_in_path() {
  if (auto id = ChipId::parse(call_.path.front())) return std::move(*id);
  refusal_.set(404, "unknown_chip", quoted(call_.path.front()) + " is no chip's id", "id");
  return *ChipId::parse("-");
}

std::optional<IpAddress> Arguments::address_in_path() {
  const auto address = IpAddress::parse(call_.path.front());
  if (!address) refusal_.bad_value("ip", quoted(call_.path.front()) + " is not an IP address");
  return address;
}

}  // namespace chipgate::admin
