// Values and rows.
#include "value.hpp"

namespace chipgate::ledger {
namespace {

const std::string no_text;

}  // namespace

std::int64_t microseconds(WallTime time) {
  return std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
}

WallTime from_microseconds(std::int64_t count) {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::microseconds(count)));
}

bool Row::null(std::size_t column) const { return std::holds_alternative<std::monostate>(columns_.at(column).held()); }

std::int64_t Row::number(std::size_t column) const {
  const auto* number = std::get_if<std::int64_t>(&columns_.at(column).held());
  return number != nullptr ? *number : 0;
}

const std::string& Row::text(std::size_t column) const {
  const auto* text = std::get_if<std::string>(&columns_.at(column).held());
  return text != nullptr ? *text : no_text;
}

std::optional<WallTime> Row::optional_time(std::size_t column) const {
  if (null(column)) return std::nullopt;
  return time(column);
}

std::optional<Milliseconds> Row::optional_duration(std::size_t column) const {
  if (null(column)) return std::nullopt;
  return Milliseconds(number(column));
}

}  // namespace chipgate::ledger
