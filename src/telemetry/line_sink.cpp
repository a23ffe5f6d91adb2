// Writing lines to a descriptor that may be full, stuck or gone.
#include "chipgate/telemetry/line_sink.hpp"

#include <atomic>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace chipgate::telemetry {
namespace {

// How long a reader of stderr may stand still before lines are lost instead of waited for. It bounds how long a stop
// takes when that reader is stuck.
constexpr int patience_ms = 1'000;

class DescriptorSink : public LineSink {
 public:
  explicit DescriptorSink(int fd) : fd_(fd) {}
  DescriptorSink(const DescriptorSink&) = delete;
  DescriptorSink& operator=(const DescriptorSink&) = delete;

  Written write(std::string_view line) override {
    std::string text(line);
    text += '\n';
    // What is left of a line that was cut off must not run into this one.
    if (torn_) text.insert(text.begin(), '\n');
    const auto rest = push(text);
    if (rest < text.size()) torn_ = rest > 0;
    return rest == 0 ? Written::whole : Written::lost;
  }

 protected:
  int fd() const { return fd_; }
  void use(int fd) { fd_ = fd; }

 private:
  // Returns how many bytes could not be written.
  std::size_t push(std::string_view rest) {
    while (!rest.empty() && writable()) {
      // A blocking pipe that polls as writable takes PIPE_BUF bytes without blocking, and no more is promised.
      const auto count = ::write(fd_, rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
      if (count < 0 && errno != EINTR && errno != EAGAIN) break;
      if (count > 0) rest.remove_prefix(static_cast<std::size_t>(count));
    }
    return rest.size();
  }

  bool writable() {
    pollfd entry{fd_, POLLOUT, 0};
    const bool ready = ::poll(&entry, 1, stuck_ ? 0 : patience_ms) == 1;
    stuck_ = !ready;
    return ready;
  }

  int fd_;
  bool stuck_ = false;
  bool torn_ = false;
};

int open_file(const std::string& path) { return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640); }

class FileSink : public DescriptorSink {
 public:
  FileSink(std::string path, int fd) : DescriptorSink(fd), path_(std::move(path)) {}
  ~FileSink() override {
    ::close(fd());
    replace_next(-1);
  }

  Written write(std::string_view line) override {
    if (const int next = next_.exchange(-1); next >= 0) {
      ::close(fd());
      use(next);
    }
    return DescriptorSink::write(line);
  }

  // The writer takes the new file with its next line, so that nobody here waits for a disk.
  std::error_code reopen() override {
    const int fd = open_file(path_);
    if (fd < 0) return {errno, std::system_category()};
    replace_next(fd);
    return {};
  }

 private:
  void replace_next(int fd) {
    if (const int unused = next_.exchange(fd); unused >= 0) ::close(unused);
  }

  std::string path_;
  std::atomic<int> next_{-1};
};

}  // namespace

std::unique_ptr<LineSink> open_sink(const std::string& path) {
  if (path.empty()) return std::make_unique<DescriptorSink>(STDERR_FILENO);
  const int fd = open_file(path);
  if (fd < 0) throw std::system_error(errno, std::system_category(), "cannot open the log file " + path);
  return std::make_unique<FileSink>(path, fd);
}

}  // namespace chipgate::telemetry
