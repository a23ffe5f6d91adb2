// The process's descriptor limit.
#include "chipgate/net/descriptors.hpp"

#include <algorithm>
#include <sys/resource.h>

namespace chipgate::net {

DescriptorLimit raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {0, 0};
  const auto had = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = had;
  return {had, limit.rlim_cur};
}

bool DescriptorReserve::holds(int fd) {
  const auto number = static_cast<std::uint64_t>(fd);
  if (kept_ == 0 || number < first_) return false;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  first_ = limit.rlim_cur - std::min<std::uint64_t>(kept_, limit.rlim_cur / 4);
  return number >= first_;
}

}  // namespace chipgate::net
