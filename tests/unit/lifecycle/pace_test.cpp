// How fast sessions are drawn.
#include "chipgate/lifecycle/pace.hpp"

#include <gtest/gtest.h>

namespace chipgate::lifecycle {
namespace {

using namespace std::chrono_literals;

const TimePoint start = TimePoint() + 24h;
constexpr std::uint64_t no_jitter = 200;

TEST(FleetPace, LetsASecondsWorthThroughAtOnceAndThenKeepsTheRate) {
  FleetPace pace(10);
  for (int i = 0; i < 11; ++i) EXPECT_LE(pace.reserve(start), start);
  EXPECT_EQ(pace.reserve(start), start + 100ms);
  EXPECT_EQ(pace.reserve(start), start + 200ms);
  // Whoever comes later finds the places of those before taken.
  EXPECT_EQ(pace.reserve(start + 250ms), start + 300ms);
}

TEST(FleetPace, SavesUpNoMoreThanASecond) {
  FleetPace pace(10);
  for (int i = 0; i < 11; ++i) (void)pace.reserve(start);
  const auto later = start + 1h;
  for (int i = 0; i < 11; ++i) EXPECT_LE(pace.reserve(later), later);
  EXPECT_GT(pace.reserve(later), later);
}

TEST(FleetPace, SparesATurnOnlyWhereNobodyWaits) {
  FleetPace pace(10);
  for (int i = 0; i < 11; ++i) EXPECT_TRUE(pace.take_spare(start));
  EXPECT_FALSE(pace.take_spare(start));
  EXPECT_EQ(pace.reserve(start), start + 100ms) << "what was not spared was not taken";
  EXPECT_FALSE(pace.take_spare(start + 100ms));
  EXPECT_TRUE(pace.take_spare(start + 200ms));
}

TEST(ChipPace, RetriesLaterAndLaterWithinAFifth) {
  ChipPace pace;
  const DrawOptions options;
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    auto exact = pace;
    EXPECT_EQ(exact.after_failure(options, start, no_jitter), start + wait);
    auto early = pace;
    // The first one has no room: a draw each retry_min is the most.
    const auto soonest = wait == 1s ? Milliseconds(1'000) : std::chrono::duration_cast<Milliseconds>(wait * 4 / 5.0);
    EXPECT_EQ(early.after_failure(options, start, 0), start + soonest);
    EXPECT_EQ(pace.after_failure(options, start, 400), start + wait + wait / 5.0 * 1.0);
  }
}

TEST(ChipPace, StartsAnewAfterASuccess) {
  ChipPace pace;
  const DrawOptions options;
  for (int i = 0; i < 5; ++i) (void)pace.after_failure(options, start, no_jitter);
  pace.succeeded(start);
  EXPECT_EQ(pace.after_failure(options, start, no_jitter), start + 1s);
}

TEST(ChipPace, IsPulledForwardToTheShortestPauseAndNoFurther) {
  ChipPace pace;
  const DrawOptions options;
  EXPECT_EQ(pace.hurried(options, start), start);
  pace.asked_at(start);
  (void)pace.after_failure(options, start + 300ms, no_jitter);
  EXPECT_EQ(pace.hurried(options, start + 400ms), start + 1s);
  EXPECT_EQ(pace.hurried(options, start + 5s), start + 5s);
}

TEST(ChipPace, CapsTheAssignmentsOfAnHour) {
  ChipPace pace;
  const DrawOptions options;
  for (int i = 0; i < 6; ++i) {
    const auto now = start + i * 1min;
    EXPECT_EQ(pace.capped_until(options, now), now);
    pace.succeeded(now);
  }
  EXPECT_EQ(pace.capped_until(options, start + 10min), start + 1h);
  EXPECT_EQ(pace.capped_until(options, start + 1h), start + 1h) << "the first one is an hour old";
  pace.succeeded(start + 1h);
  EXPECT_EQ(pace.capped_until(options, start + 1h), start + 1h + 1min);
}

TEST(Heartbeats, ComeBeforeTheSessionIsForgottenAndLeaveAFailedLooksTimeAlone) {
  EXPECT_FALSE(wants_heartbeat(0ms, 24h, 0)) << "it is never forgotten";
  EXPECT_FALSE(wants_heartbeat(60s, 48s, 0));
  EXPECT_TRUE(wants_heartbeat(60s, 49s, 0));
  EXPECT_FALSE(wants_heartbeat(60s, 49s, 1));
}

}  // namespace
}  // namespace chipgate::lifecycle
