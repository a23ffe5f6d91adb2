// How many descriptors the process may have.
#pragma once

#include <cstdint>

namespace chipgate::net {

struct DescriptorLimit {
  std::uint64_t had;  // the soft limit before
  std::uint64_t has;  // after it was raised to the hard limit
};

// Raises RLIMIT_NOFILE's soft limit as far as the hard limit allows.
DescriptorLimit raise_descriptor_limit();

// The last descriptors that the process may have, kept for what is worth more than the next client. The kernel gives
// the lowest free number, so a number tells how many are left, and no system call has to. One thread.
class DescriptorReserve {
 public:
  // At most a quarter of all that there may be.
  explicit DescriptorReserve(std::uint32_t kept) : kept_(kept) {}

  // Whether a descriptor that was just opened is one of them.
  bool holds(int fd);

 private:
  std::uint32_t kept_;
  std::uint64_t first_ = 0;  // looked up anew whenever a number reaches it
};

}  // namespace chipgate::net
