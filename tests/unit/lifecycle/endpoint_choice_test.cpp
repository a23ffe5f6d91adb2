// Which endpoint a session is drawn on, as a function of what failed and when.
#include "chipgate/lifecycle/endpoint_choice.hpp"

#include <gtest/gtest.h>

namespace chipgate::lifecycle {
namespace {

using namespace std::chrono_literals;

const TimePoint start = TimePoint() + 1h;

EndpointIndex index(std::uint32_t value) { return EndpointIndex(value); }

TEST(EndpointChoice, TheConfigurationsOrderDecidesBetweenThoseThatAreUp) {
  EndpointChoice choice(3);
  EXPECT_EQ(choice.pick(start), index(0));
  choice.failed(index(0), start);
  EXPECT_EQ(choice.pick(start), index(1));
  choice.failed(index(1), start);
  EXPECT_EQ(choice.pick(start), index(2));
}

TEST(EndpointChoice, TheBackoffDoublesUpToAMinute) {
  EndpointChoice choice(2);
  auto now = start;
  for (const auto backoff : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    choice.failed(index(0), now);
    EXPECT_FALSE(choice.up(index(0), now + backoff - 1ms));
    now += backoff;
    EXPECT_TRUE(choice.up(index(0), now)) << backoff.count();
    EXPECT_EQ(choice.pick(now), index(0));
    EXPECT_FALSE(choice.healthy(index(0))) << "may be tried, and has not worked yet";
  }
}

TEST(EndpointChoice, ARecoveryForgetsTheBackoff) {
  EndpointChoice choice(2);
  for (int i = 0; i < 4; ++i) choice.failed(index(0), start);
  choice.recovered(index(0));
  EXPECT_TRUE(choice.healthy(index(0)));
  EXPECT_EQ(choice.pick(start), index(0));
  choice.failed(index(0), start);
  EXPECT_TRUE(choice.up(index(0), start + 1s));
}

TEST(EndpointChoice, AClientThatFailsWhereOthersDidLengthensNoBackoffAndMeetsNoneOfItAtOnce) {
  EndpointChoice choice(2);
  choice.failed(index(0), start);
  choice.still_down(index(0), start + 999ms);
  EXPECT_EQ(choice.pick(start + 1s), index(1)) << "its chip would be back where it has just failed";
  EXPECT_EQ(choice.pick(start + 2s), index(0));
  choice.failed(index(0), start + 2s);
  choice.still_down(index(0), start + 2s);
  EXPECT_TRUE(choice.up(index(0), start + 4s));
  EXPECT_FALSE(choice.up(index(0), start + 4s - 1ms));
}

TEST(EndpointChoice, WhereAllAreDownTheOneThatComesBackFirstIsChosen) {
  EndpointChoice choice(3);
  choice.failed(index(0), start);
  choice.failed(index(0), start);
  choice.failed(index(1), start);
  choice.failed(index(2), start + 100ms);
  EXPECT_EQ(choice.pick(start + 200ms), index(1));
}

TEST(EndpointChoice, ASecondSilenceInARowPrefersTheOthersAndHoldsNothingDown) {
  EndpointChoice choice(2);
  choice.was_silent(index(0), start);
  EXPECT_EQ(choice.pick(start), index(0)) << "it may have been the session";
  choice.was_silent(index(0), start);
  choice.was_silent(index(0), start);
  EXPECT_EQ(choice.pick(start), index(1));
  EXPECT_TRUE(choice.up(index(0), start));
  EXPECT_TRUE(choice.healthy(index(0)));
  EXPECT_EQ(choice.pick(start + 1s), index(0)) << "and is tried again";
  choice.was_silent(index(0), start + 1s);
  EXPECT_EQ(choice.pick(start + 2s), index(1)) << "the next time it is passed by for longer";
  choice.recovered(index(0));
  EXPECT_EQ(choice.pick(start + 2s), index(0));
}

TEST(EndpointChoice, WhereAllAreSilentEachHasItsTurn) {
  EndpointChoice choice(2);
  for (int i = 0; i < 2; ++i) choice.was_silent(index(0), start);
  for (int i = 0; i < 2; ++i) choice.was_silent(index(1), start + 100ms);
  EXPECT_EQ(choice.pick(start + 200ms), index(0));
  EXPECT_TRUE(choice.healthy(index(0)) && choice.healthy(index(1)));
}

}  // namespace
}  // namespace chipgate::lifecycle
