// In a file of its own: the C library's tcp_info is older than this field, and its header excludes the kernel's.
#include "sim/segments.hpp"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace chipgate::sim {

unsigned data_segments_of(int fd) {
  tcp_info told{};
  socklen_t size = sizeof told;
  return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &told, &size) == 0 ? told.tcpi_data_segs_in : 0;
}

}  // namespace chipgate::sim
