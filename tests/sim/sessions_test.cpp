// Which exit a session has, and when it loses it.
#include "sim/sessions.hpp"

#include <gtest/gtest.h>
#include <set>

namespace chipgate::sim {
namespace {

using std::chrono::minutes;

const TimePoint start{};

SessionRules of_pool(std::size_t size) {
  SessionRules rules;
  rules.pool = size;
  return rules;
}

TEST(Sessions, LeaveByTheirOwnExits) {
  Sessions sessions(of_pool(300));
  std::set<IpAddress> exits;
  for (int i = 0; i < 300; ++i) exits.insert(sessions.exit_for("s" + std::to_string(i), start));
  EXPECT_EQ(exits.size(), 300U);
  EXPECT_EQ(exit_address(0).text(), "127.20.0.1");
  EXPECT_EQ(exit_address(299).text(), "127.20.1.46");
}

TEST(Sessions, KeepTheirExitWhileTheyAreUsed) {
  Sessions sessions(of_pool(10));
  const auto exit = sessions.exit_for("a", start);
  for (int i = 1; i < 10; ++i) EXPECT_EQ(sessions.exit_for("a", start + minutes(29 * i)), exit);
}

TEST(Sessions, LoseTheirExitWhenIdle) {
  Sessions sessions(of_pool(10));
  const auto exit = sessions.exit_for("a", start);
  sessions.touch("a", start + minutes(20));
  EXPECT_EQ(sessions.exit_for("a", start + minutes(49)), exit);
  EXPECT_NE(sessions.exit_for("a", start + minutes(79)), exit);
}

TEST(Sessions, LoseTheirExitAtTheEndOfTheirLifetimeHoweverBusy) {
  auto rules = of_pool(10);
  rules.lifetime = minutes(10);
  Sessions sessions(rules);
  const auto exit = sessions.exit_for("a", start);
  EXPECT_EQ(sessions.exit_for("a", start + minutes(9)), exit);
  EXPECT_NE(sessions.exit_for("a", start + minutes(10)), exit);
}

TEST(Sessions, ShareExitsOnlyWhenThePoolIsUsedUp) {
  Sessions sessions(of_pool(2));
  const auto first = sessions.exit_for("a", start);
  const auto second = sessions.exit_for("b", start);
  EXPECT_NE(first, second);
  const auto third = sessions.exit_for("c", start);
  EXPECT_TRUE(third == first || third == second);
}

TEST(Sessions, GiveTheirExitsBackWhenTheyEnd) {
  Sessions sessions(of_pool(2));
  const auto first = sessions.exit_for("a", start);
  sessions.exit_for("b", start);
  EXPECT_TRUE(sessions.end("a", start));
  EXPECT_FALSE(sessions.end("a", start));
  EXPECT_EQ(sessions.exit_for("c", start), first);
}

TEST(Sessions, NeverGetTheExitBackThatTheyLost) {
  Sessions sessions(of_pool(2));
  for (int i = 0; i < 5; ++i) {
    const auto exit = sessions.exit_for("a", start);
    sessions.end("a", start);
    EXPECT_NE(sessions.exit_for("a", start), exit);
    sessions.end("a", start);
  }
}

TEST(Sessions, MoveAndDuplicateOnDemand) {
  Sessions sessions(of_pool(10));
  const auto exit = sessions.exit_for("a", start);
  sessions.move("a", *IpAddress::parse("127.20.0.9"), start);
  EXPECT_EQ(sessions.exit_for("a", start).text(), "127.20.0.9");
  EXPECT_NE(sessions.move_on("a", start), exit);
  EXPECT_FALSE(sessions.duplicate("b", "unknown", start));
  EXPECT_TRUE(sessions.duplicate("b", "a", start));
  EXPECT_EQ(sessions.exit_for("b", start), sessions.exit_for("a", start));
}

TEST(Sessions, AMoveDoesNotProlongALifetime) {
  auto rules = of_pool(10);
  rules.lifetime = minutes(10);
  Sessions sessions(rules);
  sessions.exit_for("a", start);
  sessions.move("a", *IpAddress::parse("127.20.0.9"), start + minutes(9));
  EXPECT_NE(sessions.exit_for("a", start + minutes(10)).text(), "127.20.0.9");
}

TEST(Sessions, AreListedWhileTheyLive) {
  Sessions sessions(of_pool(10));
  sessions.exit_for("a", start);
  sessions.exit_for("b", start + minutes(10));
  sessions.tunnel_opened("b");
  const auto listed = sessions.list(start + minutes(35));
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].id, "b");
  EXPECT_EQ(listed[0].session.tunnels, 1U);
}

TEST(Sessions, DrawAtRandomAsRealPoolsDo) {
  auto rules = of_pool(5);
  rules.draw = DrawOrder::random;
  Sessions sessions(rules);
  std::set<IpAddress> exits;
  for (int i = 0; i < 50; ++i) exits.insert(sessions.exit_for("s" + std::to_string(i), start));
  EXPECT_LE(exits.size(), 5U);
  EXPECT_GT(exits.size(), 1U);
}

}  // namespace
}  // namespace chipgate::sim
