// What is logged, in which form, and where to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace chipgate::telemetry {

enum class LogLevel : std::uint8_t { debug, info, warn, error };
enum class LogFormat : std::uint8_t { text, json };
// Whether each tunnel leaves a line when it ends.
enum class AccessLines : std::uint8_t { off, on };

std::string_view name(LogLevel);

struct LogOptions {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  AccessLines access = AccessLines::on;
  std::string path;  // a file that is appended to; empty is stderr
};

}  // namespace chipgate::telemetry
