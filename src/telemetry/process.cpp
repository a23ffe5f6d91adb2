// Reading /proc about ourselves.
#include "chipgate/telemetry/process.hpp"

#include <algorithm>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace chipgate::telemetry {
namespace {

std::string slurp(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

double boot_time() {
  const auto stat = slurp("/proc/stat");
  const auto line = stat.find("\nbtime ");
  return line == std::string::npos ? 0 : std::strtod(stat.c_str() + line + 7, nullptr);
}

// Clock ticks from boot to the start of the process: field 22 of /proc/self/stat. The second field is the program's
// name in parentheses and may hold anything, so fields are counted from the last parenthesis on.
double start_ticks() {
  const auto stat = slurp("/proc/self/stat");
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) fields >> field;
  return std::strtod(field.c_str(), nullptr);
}

}  // namespace

std::uint64_t open_descriptors() {
  // Since Linux 6.2 the directory's size is the number; with many tunnels listing it would take milliseconds.
  struct stat directory{};
  if (::stat("/proc/self/fd", &directory) == 0 && directory.st_size > 0) {
    return static_cast<std::uint64_t>(directory.st_size);
  }
  return count_descriptors();
}

std::uint64_t count_descriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator entries("/proc/self/fd", error);
  // One of them is the listing's own.
  if (!error) return static_cast<std::uint64_t>(std::distance(begin(entries), end(entries))) - 1;
  // Most likely none is left to list with, so that asking for every number costs no more than listing them.
  std::uint64_t open = 0;
  const auto limit = max_descriptors();
  for (int fd = 0; std::cmp_less(fd, limit); ++fd) {
    if (::fcntl(fd, F_GETFD) != -1) ++open;
  }
  return open;
}

std::uint64_t max_descriptors() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

std::uint64_t resident_bytes() {
  std::istringstream statm(slurp("/proc/self/statm"));
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  timespec time{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double start_time_seconds() { return boot_time() + start_ticks() / static_cast<double>(::sysconf(_SC_CLK_TCK)); }

}  // namespace chipgate::telemetry
