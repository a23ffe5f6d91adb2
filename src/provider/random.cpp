// The kernel's random numbers.
#include "chipgate/provider/random.hpp"

#include <cerrno>
#include <sys/random.h>
#include <system_error>

namespace chipgate::provider {

RandomBits system_random() {
  return [] {
    std::uint64_t bits = 0;
    // Up to 256 bytes are never cut short once the kernel's pool is ready; before that a signal may interrupt.
    while (::getrandom(&bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) {
      if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    return bits;
  };
}

}  // namespace chipgate::provider
