// One event as one line of text, without its newline.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/telemetry/log_field.hpp"
#include "chipgate/telemetry/options.hpp"

#include <span>
#include <string>
#include <string_view>

namespace chipgate::telemetry {

struct LogEvent {
  WallTime at;
  LogLevel level;
  std::string_view name;  // snake_case, ours
  std::span<const LogField> fields;
};

// json: {"ts":"2026-01-02T03:04:05.678Z","level":"info","event":"tunnel","chip":"a"}
// text: 2026-01-02T03:04:05.678Z info tunnel chip=a reason="with spaces"
std::string format(const LogEvent&, LogFormat);

}  // namespace chipgate::telemetry
