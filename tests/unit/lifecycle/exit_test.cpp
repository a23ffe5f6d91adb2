// What counts as one exit.
#include "chipgate/lifecycle/exit.hpp"

#include "chipgate/base/address.hpp"
#include "chipgate/lifecycle/options.hpp"

#include <gtest/gtest.h>

namespace chipgate::lifecycle {
namespace {

bool one_exit(std::string_view one, std::string_view other, const LifeOptions& options = {}) {
  return same_exit(*IpAddress::parse(one), *IpAddress::parse(other), options);
}

TEST(Exit, OfVersion4IsTheWholeAddress) {
  EXPECT_TRUE(one_exit("203.0.113.7", "203.0.113.7"));
  EXPECT_FALSE(one_exit("203.0.113.7", "203.0.113.8"));
}

TEST(Exit, OfVersion6IsTheSubscribersPrefix) {
  EXPECT_TRUE(one_exit("2001:db8:0:1::7", "2001:db8:0:1:aaaa::8"));
  EXPECT_FALSE(one_exit("2001:db8:0:1::7", "2001:db8:0:2::7"));
}

TEST(Exit, IsAsWideAsTheConfigurationSays) {
  LifeOptions options;
  options.prefix_v4 = 24;
  EXPECT_TRUE(one_exit("203.0.113.7", "203.0.113.8", options));
  EXPECT_FALSE(one_exit("203.0.113.7", "203.0.114.7", options));
}

TEST(Exit, IsNeverSharedByTwoFamilies) { EXPECT_FALSE(one_exit("0.0.0.1", "::1")); }

}  // namespace
}  // namespace chipgate::lifecycle
