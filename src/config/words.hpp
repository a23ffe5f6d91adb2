// The words that stand for values, shared by reading and writing.
#pragma once

#include "chipgate/ledger/rows.hpp"
#include "chipgate/lifecycle/options.hpp"
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

inline constexpr Words<ledger::ConnectMode, 3> connect_modes{{{"manual", ledger::ConnectMode::manual},
                                                              {"on_demand", ledger::ConnectMode::on_demand},
                                                              {"on_start", ledger::ConnectMode::on_start}}};
inline constexpr Words<lifecycle::OnChange, 2> on_changes{
    {{"redraw", lifecycle::OnChange::redraw}, {"block", lifecycle::OnChange::block}}};
inline constexpr Words<lifecycle::WhenScarce, 2> when_scarces{
    {{"strict", lifecycle::WhenScarce::strict}, {"oldest", lifecycle::WhenScarce::oldest}}};

template <class T, std::size_t count>
std::string_view word(const Words<T, count>& words, T value) {
  return std::ranges::find(words, value, &std::pair<std::string_view, T>::second)->first;
}

}  // namespace chipgate::config
