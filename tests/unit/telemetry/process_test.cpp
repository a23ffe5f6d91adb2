// What the process says about itself.
#include "chipgate/telemetry/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace chipgate::telemetry {
namespace {

// As many descriptors as the process may have, and no more.
class AllDescriptorsTaken {
 public:
  static constexpr rlim_t count = 1024;  // more than what a test inherits

  AllDescriptorsTaken() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    auto low = before_;
    low.rlim_cur = count;
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0; fd = ::dup(fd)) taken_.push_back(fd);
  }
  ~AllDescriptorsTaken() {
    for (const int fd : taken_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  AllDescriptorsTaken(const AllDescriptorsTaken&) = delete;
  AllDescriptorsTaken& operator=(const AllDescriptorsTaken&) = delete;

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST(Process, CountsADescriptorThatIsOpenAndNotTheOneThatItCountsWith) {
  const auto before = count_descriptors();
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(count_descriptors(), before + 1);
  ::close(fd);
  EXPECT_EQ(count_descriptors(), before);
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Process, CountsThemWhenNoneIsLeft) {
  const AllDescriptorsTaken taken;
  EXPECT_EQ(count_descriptors(), taken.count);
  EXPECT_EQ(open_descriptors(), taken.count);
}

}  // namespace
}  // namespace chipgate::telemetry
