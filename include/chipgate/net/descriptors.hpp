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

}  // namespace chipgate::net
