// The origin log: what origins really saw, chunk by chunk; the truth against which exclusivity is audited.
#pragma once

#include "sim/options.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chipgate::sim {

enum class LogEvent : std::uint8_t {
  opened,  // the origin accepted
  in,      // bytes came from the exit
  out,     // bytes were handed to the kernel
  eof,     // the exit ended its direction
  reset,   // the connection broke
  closed,  // the origin let go
};
std::string_view name(LogEvent event);

// What all entries of one connection share.
struct Seen {
  std::uint64_t connection = 0;
  IpAddress source;       // the exit
  std::string target;     // "host:port" as the gateway was asked; "direct" for who came past the gateway
  std::string session{};  // whose exit it is; empty for a rotating one
};

struct LogEntry {
  std::uint64_t seq = 0;
  WallTime at{};
  LogEvent event{};
  std::size_t bytes = 0;
  std::string payload_hex{};
  std::shared_ptr<const Seen> who{};
};

std::string json_of(const LogEntry& entry);

// One thread.
class OriginLog {
 public:
  explicit OriginLog(const SimulatorOptions& options);

  void add(const std::shared_ptr<const Seen>& who, LogEvent event, std::string_view bytes = {});
  // Those after `seq` that are still kept, at most `limit`.
  std::vector<LogEntry> since(std::uint64_t seq, std::size_t limit) const;
  std::uint64_t last_seq() const { return seq_; }

 private:
  std::size_t kept_;
  bool payload_;
  std::ofstream file_;
  std::deque<LogEntry> entries_;
  std::uint64_t seq_ = 0;
};

}  // namespace chipgate::sim
