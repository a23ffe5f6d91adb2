// What concerns all chips at once.
#include "chipgate/lifecycle/breaker.hpp"

#include <gtest/gtest.h>

namespace chipgate::lifecycle {
namespace {

using namespace std::chrono_literals;

const TimePoint start = TimePoint() + 24h;

TEST(Breaker, LetsEverybodyThroughAsLongAsNothingFailed) {
  Breaker breaker;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(breaker.wait(start), std::nullopt);
  EXPECT_FALSE(breaker.succeeded());
}

TEST(Breaker, SendsOneCanaryWhenItsTimeHasCome) {
  Breaker breaker;
  breaker.failed({ErrorKind::provider_auth}, start);
  EXPECT_EQ(breaker.wait(start + 999ms), start + 1s);
  EXPECT_EQ(breaker.wait(start + 1s), std::nullopt) << "the canary";
  EXPECT_GT(breaker.wait(start + 1s), start + 1s) << "and nobody with it";
}

TEST(Breaker, WaitsLongerAfterEveryCanaryThatFailed) {
  Breaker breaker;
  auto now = start;
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    breaker.failed({ErrorKind::provider_payment}, now);
    EXPECT_EQ(breaker.retry_at(), now + wait);
    now += wait;
    EXPECT_EQ(breaker.wait(now), std::nullopt);
  }
}

TEST(Breaker, WaitsASecondWhereSomebodyWantsWhatItKeepsBack) {
  Breaker breaker;
  breaker.wanted();
  auto now = start;
  for (int i = 0; i < 8; ++i) {
    breaker.failed({ErrorKind::provider_auth}, now);
    breaker.wanted();
    EXPECT_EQ(breaker.retry_at(), now + 1s);
    now += 1s;
    EXPECT_EQ(breaker.wait(now), std::nullopt) << "the canary";
    breaker.wanted();
    EXPECT_NE(breaker.wait(now), std::nullopt) << "still one at a time";
  }
  breaker.failed({ErrorKind::provider_auth}, now);
  EXPECT_EQ(breaker.retry_at(), now + 60s) << "and nobody wants it any more";
}

TEST(Breaker, AsksAGatewayThatIsDownEveryHalfSecond) {
  Breaker breaker;
  auto now = start;
  for (const auto wait : {500ms, 500ms, 500ms}) {
    breaker.failed({ErrorKind::gateway_refused}, now);
    EXPECT_EQ(breaker.retry_at(), now + wait);
    now += wait;
    EXPECT_EQ(breaker.wait(now), std::nullopt);
  }
}

TEST(Breaker, CountsThoseThatWereUnderWayAsOneFailure) {
  Breaker breaker;
  for (int i = 0; i < 50; ++i) breaker.failed({ErrorKind::gateway_refused}, start + i * 1ms);
  EXPECT_EQ(breaker.retry_at(), start + 500ms);
}

TEST(Breaker, ClosesWithTheFirstSuccess) {
  Breaker breaker;
  breaker.failed({ErrorKind::provider_auth, "wrong"}, start);
  EXPECT_EQ(breaker.error()->detail, "wrong");
  EXPECT_TRUE(breaker.succeeded());
  EXPECT_EQ(breaker.wait(start), std::nullopt);
  EXPECT_FALSE(breaker.error());
  breaker.failed({ErrorKind::provider_auth}, start);
  EXPECT_EQ(breaker.retry_at(), start + 1s) << "a new outage begins anew";
}

TEST(Breaker, DoesNotWaitForEverForACanaryThatIsLost) {
  Breaker breaker;
  breaker.failed({ErrorKind::gateway_refused}, start);
  EXPECT_EQ(breaker.wait(start + 1s), std::nullopt);
  EXPECT_NE(breaker.wait(start + 20s), std::nullopt);
  EXPECT_EQ(breaker.wait(start + 22s), std::nullopt);
}

TEST(Breaker, SendsTheNextCanaryAtOnceWhereOneNeverAsked) {
  Breaker breaker;
  breaker.failed({ErrorKind::gateway_refused}, start);
  EXPECT_EQ(breaker.wait(start + 1s), std::nullopt);
  const auto first = breaker.ticket();
  breaker.called_off(first);
  EXPECT_EQ(breaker.wait(start + 1s), std::nullopt);
  EXPECT_NE(breaker.wait(start + 1s), std::nullopt) << "and one alone";
  breaker.called_off(first);
  EXPECT_NE(breaker.wait(start + 1s), std::nullopt) << "the second one is still out";
}

TEST(Breaker, KnowsTheCanariesFromThoseThatWereUnderWayBefore) {
  Breaker breaker;
  const auto before = breaker.ticket();
  breaker.failed({ErrorKind::provider_auth}, start);
  EXPECT_EQ(breaker.wait(start + 1s), std::nullopt);
  breaker.called_off(before);
  EXPECT_NE(breaker.wait(start + 1s), std::nullopt);
}

TEST(Breaker, SendsTheNextCanaryAfterOneThatCouldNotSay) {
  Breaker breaker;
  breaker.failed({ErrorKind::gateway_refused}, start);
  EXPECT_EQ(breaker.wait(start + 1s), std::nullopt);
  breaker.undecided(start + 1s);
  EXPECT_TRUE(breaker.error()) << "it was no success";
  EXPECT_EQ(breaker.retry_at(), start + 1'500ms) << "and no failure that would make the wait longer";
  EXPECT_EQ(breaker.wait(start + 2s), std::nullopt) << "another canary";
}

TEST(Breaker, HearsNothingUndecidedOfThoseThatWereUnderWayWhenItOpened) {
  Breaker breaker;
  breaker.undecided(start);
  EXPECT_FALSE(breaker.error());
  breaker.failed({ErrorKind::provider_auth}, start);
  breaker.undecided(start + 500ms);
  EXPECT_EQ(breaker.retry_at(), start + 1s);
}

TEST(Breaker, IsAboutTheAccountAndTheGatewayAndNoSession) {
  for (const auto kind : {ErrorKind::provider_auth, ErrorKind::provider_payment, ErrorKind::provider_rate_limited,
                          ErrorKind::gateway_refused, ErrorKind::gateway_unresolved}) {
    EXPECT_TRUE(Breaker::concerns(kind)) << info(kind).name;
  }
  for (const auto kind : {ErrorKind::provider_session_lost, ErrorKind::provider_no_exit, ErrorKind::gateway_silent,
                          ErrorKind::gateway_garbled, ErrorKind::ledger_unavailable, ErrorKind::no_free_exit}) {
    EXPECT_FALSE(Breaker::concerns(kind)) << info(kind).name;
  }
}

}  // namespace
}  // namespace chipgate::lifecycle
