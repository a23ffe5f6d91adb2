// Descriptors that a test leaves open, and a process that has none left.
#pragma once

#include "chipgate/net/unique_fd.hpp"

#include <cstddef>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <iterator>
#include <poll.h>
#include <sys/resource.h>

namespace chipgate::test {

inline std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

// The first member of a fixture: whatever is declared behind it has gone when it looks.
class NoDescriptorLeft {
 public:
  NoDescriptorLeft() = default;
  NoDescriptorLeft(const NoDescriptorLeft&) = delete;
  NoDescriptorLeft& operator=(const NoDescriptorLeft&) = delete;
  ~NoDescriptorLeft() {
    // A lookup's thread of an earlier test may be about to end.
    for (int i = 0; i < 1'000 && open_descriptors() > before_; ++i) ::poll(nullptr, 0, 1);
    EXPECT_LE(open_descriptors(), before_) << "descriptors were left open";
  }

 private:
  std::ptrdiff_t before_ = open_descriptors();
};

// No descriptor can be opened while it lives: the lowest free number is out of bounds.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const net::UniqueFd lowest(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    limit(static_cast<rlim_t>(lowest.get()));
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  void limit(rlim_t descriptors) {
    auto low = before_;
    low.rlim_cur = descriptors;
    ::setrlimit(RLIMIT_NOFILE, &low);
  }
  rlimit before_{};
};

// A limit on descriptors that leaves so many free, as long as it lives.
class DescriptorsLeft {
 public:
  explicit DescriptorsLeft(rlim_t left) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const net::UniqueFd lowest(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    auto low = before_;
    low.rlim_cur = static_cast<rlim_t>(lowest.get()) + left;
    ::setrlimit(RLIMIT_NOFILE, &low);
  }
  ~DescriptorsLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorsLeft(const DescriptorsLeft&) = delete;
  DescriptorsLeft& operator=(const DescriptorsLeft&) = delete;

 private:
  rlimit before_{};
};

}  // namespace chipgate::test
