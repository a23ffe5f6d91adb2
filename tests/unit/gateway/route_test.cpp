// Routes, and what an address says about them.
#include "chipgate/gateway/route.hpp"

#include <gtest/gtest.h>

namespace chipgate::gateway {
namespace {

RoutePtr route(const std::vector<std::string>& exits = {}, ExitPrefixes prefixes = {}) {
  const provider::Credentials credentials{Secret("user-session-x"), Secret("pass")};
  const auto made =
      make_route(SessionIdentifier("chip-a-1"), Epoch(4), EndpointIndex(2), credentials, IpLiterals::refused);
  std::vector<IpAddress> addresses;
  for (const auto& exit : exits) addresses.push_back(*IpAddress::parse(exit));
  return with_exits(*made, addresses, prefixes);
}

ExitVerdict verdict(const std::vector<std::string>& exits, const std::string& seen, ExitPrefixes prefixes = {}) {
  return verdict_on(*route(exits, prefixes), *IpAddress::parse(seen));
}

TEST(Route, WithExitsIsTheSameOtherwise) {
  const auto known = route({"203.0.113.7", "2001:db8::7"});
  EXPECT_EQ(known->session, SessionIdentifier("chip-a-1"));
  EXPECT_EQ(known->epoch, Epoch(4));
  EXPECT_EQ(known->endpoint, EndpointIndex(2));
  EXPECT_EQ(known->ip_literals, IpLiterals::refused);
  EXPECT_EQ(known->authorization_line.reveal(), "Proxy-Authorization: Basic dXNlci1zZXNzaW9uLXg6cGFzcw==\r\n");
  EXPECT_FALSE(known->socks_credentials.empty());
  EXPECT_EQ(known->exits.size(), 2U);
}

TEST(Route, AnAddressOfItsOwnIsTheSameExit) {
  EXPECT_EQ(verdict({"203.0.113.7", "2001:db8::7"}, "203.0.113.7"), ExitVerdict::same);
  EXPECT_EQ(verdict({"203.0.113.7", "2001:db8::7"}, "2001:db8::7"), ExitVerdict::same);
  EXPECT_EQ(verdict({"203.0.113.7", "203.0.113.8"}, "203.0.113.8"), ExitVerdict::same);
}

TEST(Route, AnotherAddressOfTheSameFamilyIsAMove) {
  EXPECT_EQ(verdict({"203.0.113.7", "2001:db8::7"}, "203.0.113.8"), ExitVerdict::other);
  EXPECT_EQ(verdict({"203.0.113.7", "2001:db8::7"}, "2001:db8:0:1::7"), ExitVerdict::other);
}

// As the life cycle and the ledger compare them: a chip that was refused here for what is no move there would stay so.
TEST(Route, AnAddressWithinThePrefixIsTheSameExit) {
  constexpr ExitPrefixes prefixes{24, 64};
  EXPECT_EQ(verdict({"203.0.113.7", "2001:db8::7"}, "203.0.113.8", prefixes), ExitVerdict::same);
  EXPECT_EQ(verdict({"203.0.113.7", "2001:db8::7"}, "203.0.114.7", prefixes), ExitVerdict::other);
  EXPECT_EQ(verdict({"203.0.113.7", "2001:db8::7"}, "2001:db8::8", prefixes), ExitVerdict::same);
  EXPECT_EQ(verdict({"203.0.113.7", "2001:db8::7"}, "2001:db8:0:1::7", prefixes), ExitVerdict::other);
}

TEST(Route, AnAddressOfAFamilyThatWasNotLookedAtSaysNothing) {
  EXPECT_EQ(verdict({"203.0.113.7"}, "2001:db8::7"), ExitVerdict::unknown);
  EXPECT_EQ(verdict({}, "203.0.113.7"), ExitVerdict::unknown);
}

}  // namespace
}  // namespace chipgate::gateway
