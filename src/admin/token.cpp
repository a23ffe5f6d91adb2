// Reading the token, or making it.
#include "chipgate/admin/token.hpp"

#include "chipgate/base/ascii.hpp"
#include "chipgate/net/unique_fd.hpp"
#include "chipgate/telemetry/log.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <sys/random.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace chipgate::admin {
namespace {

// Shorter ones can be guessed, or are a file that is something else.
constexpr std::size_t shortest = 16;
constexpr std::size_t longest = 4096;
constexpr mode_t others = 077;

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw std::runtime_error("the token file " + path + ": " + why);
}

[[noreturn]] void fail_by_errno(const std::string& path) { fail(path, std::generic_category().message(errno)); }

std::string random_text() {
  std::array<unsigned char, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

Secret read(int fd, const std::string& path, telemetry::Log& log) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) fail_by_errno(path);
  if ((status.st_mode & others) != 0) {
    log.warn("token_file_open_to_others", {{"path", path}, {"hint", "chmod 0600"}});
  }
  std::array<char, longest + 1> buffer{};
  const auto size = ::read(fd, buffer.data(), buffer.size());
  if (size < 0) fail_by_errno(path);
  Secret token(std::string(trim(std::string_view(buffer.data(), static_cast<std::size_t>(size)))));
  ::explicit_bzero(buffer.data(), buffer.size());
  auto text = token.reveal();
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (static_cast<std::size_t>(size) > longest || text.find('\n') != std::string_view::npos) {
    fail(path, "holds more than a token");
  }
  if (text.size() < shortest) fail(path, "holds no token of at least 16 characters; remove it, and a new one is made");
  return Secret(std::string(text));
}

// Whole or not at all: it is written under another name and then linked, so that a crash leaves no empty token.
void make(const std::string& path) {
  const auto fresh = path + ".new";
  ::unlink(fresh.c_str());
  net::UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.get() < 0) fail_by_errno(fresh);
  const auto text = random_text() + '\n';
  const auto written = ::write(fd.get(), text.data(), text.size());
  const bool whole = written == static_cast<ssize_t>(text.size()) && ::fsync(fd.get()) == 0;
  const bool linked = whole && (::link(fresh.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int error = errno;
  ::unlink(fresh.c_str());
  errno = error;
  if (!linked) fail_by_errno(path);
}

}  // namespace

Secret provide_token(const AdminOptions& options, telemetry::Log& log) {
  if (!options.token.empty()) return options.token;
  const auto& path = options.token_file;
  net::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0 && errno == ENOENT) {
    make(path);
    log.info("token_made", {{"path", path}});
    fd = net::UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  if (fd.get() < 0) fail_by_errno(path);
  return read(fd.get(), path, log);
}

}  // namespace chipgate::admin
