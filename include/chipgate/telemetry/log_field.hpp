// A key and its value as they stand in a log line.
#pragma once

#include "chipgate/base/errors.hpp"
#include "chipgate/base/ids.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <variant>

namespace chipgate::telemetry {

// Anything a line may say. Text is borrowed for the length of the call and escaped when it is written, so it may come
// from a peer as it is. There is no way in for a Secret.
class LogValue {
 public:
  using Variant = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  template <std::convertible_to<std::string_view> T>
  LogValue(const T& text) : value_(std::string_view(text)) {}
  template <std::same_as<bool> T>
  LogValue(T value) : value_(value) {}
  template <std::signed_integral T>
  LogValue(T value) : value_(static_cast<std::int64_t>(value)) {}
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  LogValue(T value) : value_(static_cast<std::uint64_t>(value)) {}
  template <std::floating_point T>
  LogValue(T value) : value_(static_cast<double>(value)) {}
  // Durations are seconds, as everywhere in the output; their keys say so.
  template <class Rep, class Period>
  LogValue(std::chrono::duration<Rep, Period> value) : value_(std::chrono::duration<double>(value).count()) {}
  LogValue(const ChipId& id) : value_(std::string_view(id.value())) {}
  LogValue(const SessionIdentifier& id) : value_(std::string_view(id.value())) {}
  LogValue(ErrorKind kind) : value_(info(kind).name) {}

  const Variant& variant() const { return value_; }

 private:
  Variant value_;
};

struct LogField {
  std::string_view key;  // snake_case, ours, and none of ts, level, event
  LogValue value;
};

}  // namespace chipgate::telemetry
