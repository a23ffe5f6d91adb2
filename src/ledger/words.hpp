// The words that stand for states in the ledger's tables.
#pragma once

#include "chipgate/ledger/rows.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace chipgate::ledger {

template <class T, std::size_t count>
using Words = std::array<std::pair<std::string_view, T>, count>;

inline constexpr Words<ConnectMode, 3> connect_modes{
    {{"manual", ConnectMode::manual}, {"on_demand", ConnectMode::on_demand}, {"on_start", ConnectMode::on_start}}};
inline constexpr Words<Arming, 2> armings{{{"armed", Arming::armed}, {"disarmed", Arming::disarmed}}};
inline constexpr Words<ChipOrigin, 2> origins{{{"configured", ChipOrigin::configured}, {"api", ChipOrigin::api}}};
inline constexpr Words<AssignmentState, 3> states{
    {{"pending", AssignmentState::pending}, {"open", AssignmentState::open}, {"closed", AssignmentState::closed}}};
inline constexpr Words<IdentifierOutcome, 4> outcomes{{{"issued", IdentifierOutcome::issued},
                                                       {"opened", IdentifierOutcome::opened},
                                                       {"refused", IdentifierOutcome::refused},
                                                       {"failed", IdentifierOutcome::failed}}};

template <class T, std::size_t count>
std::string_view word(const Words<T, count>& words, T value) {
  return std::ranges::find(words, value, &std::pair<std::string_view, T>::second)->first;
}

template <class T, std::size_t count>
std::optional<T> meaning(const Words<T, count>& words, std::string_view text) {
  const auto found = std::ranges::find(words, text, &std::pair<std::string_view, T>::first);
  if (found == words.end()) return std::nullopt;
  return found->second;
}

}  // namespace chipgate::ledger
