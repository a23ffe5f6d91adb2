// Which numbers of descriptors are kept free.
#include "chipgate/net/descriptors.hpp"

#include "unit/support/descriptors.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace chipgate::net {
namespace {

using test::DescriptorsLeft;

TEST(DescriptorReserve, HoldsTheLastNumbersThatMayBeGiven) {
  const DescriptorsLeft left(100);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto all = static_cast<int>(limit.rlim_cur);
  DescriptorReserve two(2);
  EXPECT_FALSE(two.holds(all - 3));
  EXPECT_TRUE(two.holds(all - 2));
  EXPECT_TRUE(two.holds(all - 1));
  EXPECT_FALSE(two.holds(all - 3));
  DescriptorReserve greedy(10'000);
  EXPECT_FALSE(greedy.holds(0)) << "never more than a quarter";
  DescriptorReserve none(0);
  EXPECT_FALSE(none.holds(all - 1));
}

TEST(DescriptorReserve, FollowsALimitThatIsRaised) {
  DescriptorReserve reserve(2);
  int last = 0;
  {
    const DescriptorsLeft left(100);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    last = static_cast<int>(limit.rlim_cur) - 1;
    EXPECT_TRUE(reserve.holds(last));
  }
  EXPECT_FALSE(reserve.holds(last));
}

}  // namespace
}  // namespace chipgate::net
