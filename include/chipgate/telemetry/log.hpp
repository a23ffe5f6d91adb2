// The log: one structured line an event, written by a thread of its own so that no shard ever waits for a disk.
#pragma once

#include "chipgate/telemetry/line_sink.hpp"
#include "chipgate/telemetry/log_field.hpp"
#include "chipgate/telemetry/options.hpp"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>

namespace chipgate::telemetry {

// What a line does that finds the queue full.
enum class WhenFull {
  // The oldest line is dropped and counted: a slow disk costs lines, never tunnels.
  drop_oldest,
  // The caller waits. For a start with thousands of chips, each with its lines, where nobody else waits yet. A reader
  // that takes nothing is waited for one second (see open_sink), then lines are lost and counted.
  wait,
};

// Made once at start and handed to whoever logs; every thread may use it.
class Log {
 public:
  using Fields = std::initializer_list<LogField>;

  // Throws std::system_error where the file cannot be opened.
  explicit Log(const LogOptions&);
  // To a sink of one's own, for tests.
  Log(const LogOptions&, std::unique_ptr<LineSink>);
  // Writes out what is queued.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void debug(std::string_view event, Fields fields = {}) { write(LogLevel::debug, event, fields); }
  void info(std::string_view event, Fields fields = {}) { write(LogLevel::info, event, fields); }
  void warn(std::string_view event, Fields fields = {}) { write(LogLevel::warn, event, fields); }
  void error(std::string_view event, Fields fields = {}) { write(LogLevel::error, event, fields); }
  void write(LogLevel level, std::string_view event, Fields fields) {
    write(level, event, std::span(fields.begin(), fields.size()));
  }
  void write(LogLevel, std::string_view event, std::span<const LogField> fields);

  bool enabled(LogLevel) const;
  AccessLines access_lines() const;
  // Follows a reload of the configuration.
  void set_level(LogLevel);
  void set_access_lines(AccessLines);
  // drop_oldest until it is told otherwise.
  void when_full(WhenFull);

  // Opens the file anew after logrotate moved it. On an error the old file stays in use.
  std::error_code reopen();
  // Lines lost so far, to a full queue or to a sink that failed.
  std::uint64_t dropped() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace chipgate::telemetry
