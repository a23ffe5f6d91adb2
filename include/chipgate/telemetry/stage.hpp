// The stages of one CONNECT, from accept to the answer.
#pragma once

#include "chipgate/base/duration.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chipgate::telemetry {

enum class Stage : std::uint8_t {
  head,     // reading the client's request
  hold,     // waiting for the chip's assignment
  connect,  // resolving and connecting to the gateway
  tls,      // its TLS handshake
  reply,    // from the gateway's CONNECT to its answer
};

inline constexpr std::size_t stage_count = 5;

std::string_view name(Stage);

// How long each stage of one client took; zero is a stage that it never entered.
class StageTimes {
 public:
  Clock::duration& operator[](Stage stage) { return times_.at(static_cast<std::size_t>(stage)); }
  Clock::duration operator[](Stage stage) const { return times_.at(static_cast<std::size_t>(stage)); }

 private:
  std::array<Clock::duration, stage_count> times_{};
};

}  // namespace chipgate::telemetry
