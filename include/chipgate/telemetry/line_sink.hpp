// Where log lines end: a file, stderr, or a test.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace chipgate::telemetry {

enum class Written : std::uint8_t { whole, lost };

// Written to by the log's own thread; reopened by any.
class LineSink {
 public:
  virtual ~LineSink() = default;
  // The line comes without its newline. A sink never throws: a line that cannot be kept is lost and counted.
  virtual Written write(std::string_view line) = 0;
  virtual std::error_code reopen() { return {}; }
};

// A file to append to, or stderr where the path is empty. Throws std::system_error where it cannot be opened.
std::unique_ptr<LineSink> open_sink(const std::string& path);

}  // namespace chipgate::telemetry
