// The process's descriptor limit.
#include "chipgate/net/descriptors.hpp"

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

}  // namespace chipgate::net
