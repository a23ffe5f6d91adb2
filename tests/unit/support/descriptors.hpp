// NoDescriptorLeft: fails the test that leaves a descriptor open.
#pragma once

#include <cstddef>
#include <filesystem>
#include <gtest/gtest.h>
#include <iterator>

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
  ~NoDescriptorLeft() { EXPECT_EQ(open_descriptors(), before_) << "descriptors were left open"; }

 private:
  std::ptrdiff_t before_ = open_descriptors();
};

}  // namespace chipgate::test
