// The process's variables and files.
#include "chipgate/config/environment.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chipgate::config {
namespace {

// One byte more than there may be, so that the reader sees that it is too large.
constexpr std::size_t largest = largest_file + 1;

FileContent failed(int error) { return {.text = std::nullopt, .error = std::strerror(error)}; }

FileContent read_all(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return failed(errno);
  FileContent content{.text = std::string(), .mode = status.st_mode & 07777};
  std::string buffer(16 * 1024, '\0');
  while (content.text->size() < largest) {
    const auto count = ::read(fd, buffer.data(), std::min(buffer.size(), largest - content.text->size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(errno);
    if (count == 0) break;
    content.text->append(buffer.data(), static_cast<std::size_t>(count));
  }
  ::explicit_bzero(buffer.data(), buffer.size());
  return content;
}

FileContent read_file(const std::string& path) {
  // O_NONBLOCK: a FIFO without a writer would hold up the start for ever.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return failed(errno);
  auto content = read_all(fd);
  ::close(fd);
  return content;
}

std::optional<std::string> variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

}  // namespace

Environment process_environment() { return {.variable = variable, .read = read_file}; }

}  // namespace chipgate::config
