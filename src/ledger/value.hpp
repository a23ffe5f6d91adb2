// What SQL is given and what it gives, in the ledger's own types.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/duration.hpp"
#include "chipgate/base/ids.hpp"

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chipgate::ledger {

// Times are microseconds UTC, which is also what they are cut to.
std::int64_t microseconds(WallTime);
WallTime from_microseconds(std::int64_t);

// NULL, a BIGINT or a TEXT: the three that every database has.
class Value {
 public:
  Value() = default;
  template <std::integral Number>
  Value(Number number) : held_(static_cast<std::int64_t>(number)) {}
  Value(std::string text) : held_(std::move(text)) {}
  Value(std::string_view text) : held_(std::string(text)) {}
  Value(const char* text) : held_(std::string(text)) {}
  Value(WallTime time) : held_(microseconds(time)) {}
  Value(Milliseconds duration) : held_(std::int64_t{duration.count()}) {}
  Value(const IpAddress& address) : held_(address.text()) {}
  Value(const ChipId& chip) : held_(chip.value()) {}
  template <class Tag, class Rep>
  Value(const Strong<Tag, Rep>& strong) : Value(strong.value()) {}
  template <class T>
  Value(const std::optional<T>& optional) {
    if (optional) *this = Value(*optional);
  }

  const std::variant<std::monostate, std::int64_t, std::string>& held() const { return held_; }

 private:
  std::variant<std::monostate, std::int64_t, std::string> held_;
};

// One row of an answer, by column. A column of another type reads as 0 or "".
class Row {
 public:
  explicit Row(std::vector<Value> columns) : columns_(std::move(columns)) {}

  bool null(std::size_t column) const;
  std::int64_t number(std::size_t column) const;
  std::uint64_t count(std::size_t column) const { return static_cast<std::uint64_t>(number(column)); }
  const std::string& text(std::size_t column) const;
  WallTime time(std::size_t column) const { return from_microseconds(number(column)); }
  std::optional<WallTime> optional_time(std::size_t column) const;
  std::optional<Milliseconds> optional_duration(std::size_t column) const;
  std::optional<IpAddress> address(std::size_t column) const { return IpAddress::parse(text(column)); }
  std::optional<ChipId> chip(std::size_t column) const { return ChipId::parse(text(column)); }

 private:
  std::vector<Value> columns_;
};

using Rows = std::vector<Row>;

}  // namespace chipgate::ledger
