// The other half of the benchmark: clients and a gateway, in a process of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <sys/types.h>

namespace chipgate::bench {

enum class Work : std::uint8_t {
  tunnels,           // open and close `count`, one after the other
  tunnels_together,  // by 16 clients at once
  echoes,            // `count` messages of 64 bytes there and back, over 16 tunnels
  bulk,              // `count` bytes down one tunnel
  bulks,             // `count` bytes down 16 tunnels together
  hold,              // open `count` tunnels and keep them
};

// Forked before this process has threads.
class Load {
 public:
  Load();
  // The child ends with its end of the pipe.
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  std::uint16_t gateway_port() const { return gateway_port_; }
  void use_port(std::uint16_t chip_port) { chip_port_ = chip_port; }
  // Returns when the work is done. Throws std::runtime_error where it failed.
  void run(Work work, std::uint64_t count);

 private:
  pid_t child_ = -1;
  int orders_ = -1;
  int reports_ = -1;
  std::uint16_t gateway_port_ = 0;
  std::uint16_t chip_port_ = 0;
};

}  // namespace chipgate::bench
