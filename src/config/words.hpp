// The words that stand for values, shared by reading and writing.
#pragma once

#include "chipgate/protocol/refusal.hpp"
#include "chipgate/telemetry/options.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace chipgate::config {

template <class T, std::size_t count>
using Words = std::array<std::pair<std::string_view, T>, count>;

inline constexpr Words<protocol::FailStyle, 4> fail_styles{{{"auto", protocol::FailStyle::automatic},
                                                            {"status", protocol::FailStyle::status},
                                                            {"reset", protocol::FailStyle::reset},
                                                            {"established", protocol::FailStyle::established}}};
inline constexpr Words<telemetry::LogLevel, 4> log_levels{{{"debug", telemetry::LogLevel::debug},
                                                           {"info", telemetry::LogLevel::info},
                                                           {"warn", telemetry::LogLevel::warn},
                                                           {"error", telemetry::LogLevel::error}}};
inline constexpr Words<telemetry::LogFormat, 2> log_formats{
    {{"text", telemetry::LogFormat::text}, {"json", telemetry::LogFormat::json}}};

template <class T, std::size_t count>
std::string_view word(const Words<T, count>& words, T value) {
  return std::ranges::find(words, value, &std::pair<std::string_view, T>::second)->first;
}

}  // namespace chipgate::config
