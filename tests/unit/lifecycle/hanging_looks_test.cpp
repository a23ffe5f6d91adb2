// Looks that nobody answers, and clients that wait for them.
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

class HangingLooks : public World {
 protected:
  HangingLooks() {
    add("alpha");
    options.life.verify.interval = std::chrono::hours(1);
  }
  void client_holds() {
    port().usage.clients_held = 1;
    service->wanted(ChipIndex(0));
  }
  // A draw whose look hangs.
  void draw_into_silence() {
    open();
    plane->hold_looks = true;
    service->wanted(ChipIndex(0));
    ASSERT_TRUE(until([&] { return plane->looks == 1; }));
  }
  // A restart, and a look that hangs.
  void resume_into_silence() {
    open();
    first = *connected().assignment;
    auto exits = plane->exits;
    close();
    open();
    plane->exits = std::move(exits);
    plane->hold_looks = true;
    ASSERT_TRUE(until([&] { return plane->looks == 1; }));
  }
  // The longest unanswered one, by what the gateway did.
  void answer_oldest(ErrorKind failure) {
    auto& unanswered = plane->unanswered[ChipIndex(0)];
    auto done = std::move(unanswered.front());
    unanswered.erase(unanswered.begin());
    done({Error{failure}});
  }
  // Long enough for a dozen of what comes every retry_min, if it came.
  void pass_time() {
    const auto long_enough = Clock::now() + 12 * options.life.draw.retry_min;
    EXPECT_TRUE(until([&] { return Clock::now() >= long_enough; }));
  }
  AssignmentView first;
};

TEST_F(HangingLooks, HaveAnotherBesideThemAsSoonAsTheGatewayAnswersAgain) {
  draw_into_silence();
  plane->hold_looks = false;
  client_holds();
  ASSERT_TRUE(until_state(State::active)) << "and not when the first look has timed out";
  EXPECT_EQ(plane->looks_of.size(), 1U) << "no other session is drawn for it";
}

TEST_F(HangingLooks, AreRepeatedEveryRetryMinAsLongAsSomebodyWaits) {
  draw_into_silence();
  client_holds();
  ASSERT_TRUE(until([&] { return plane->looks >= 6; }));
  plane->hold_looks = false;
  ASSERT_TRUE(until_state(State::active));
  EXPECT_EQ(plane->looks_of.size(), 1U);
}

TEST_F(HangingLooks, OfAResumedChipHaveAnotherBesideThem) {
  resume_into_silence();
  plane->hold_looks = false;
  client_holds();
  ASSERT_TRUE(until_state(State::active));
  EXPECT_EQ(chip().assignment->id, first.id);
}

TEST_F(HangingLooks, AreLeftAloneWhereNobodyWaits) {
  draw_into_silence();
  pass_time();
  EXPECT_EQ(plane->looks, 1U);
}

TEST_F(HangingLooks, HaveNoneBesideThemWhileTheFleetHasNoTurnToSpare) {
  options.life.draw.per_second = 1;
  draw_into_silence();
  client_holds();
  pass_time();
  EXPECT_LE(plane->looks, 2U) << "it keeps a second's worth";
}

TEST_F(HangingLooks, OfACanaryHaveNoneBesideThem) {
  open();
  plane->failure = Error{ErrorKind::provider_auth};
  client_holds();
  ASSERT_TRUE(until([&] { return service->breaker_open(); }));
  const auto before = plane->looks;
  plane->hold_looks = true;
  ASSERT_TRUE(until([&] { return plane->looks > before; }));
  pass_time();
  EXPECT_EQ(plane->looks, before + 1);
}

TEST_F(HangingLooks, OfASessionThatIsDeadDoNotKeepItAlive) {
  draw_into_silence();
  client_holds();
  ASSERT_TRUE(until([&] { return plane->looks >= 4; }));
  // As many as are asked for an answer where nobody waits.
  answer_oldest(ErrorKind::gateway_silent);
  answer_oldest(ErrorKind::gateway_silent);
  ASSERT_TRUE(until([&] { return plane->looks_of.size() == 2; })) << "another session is drawn";
}

TEST_F(HangingLooks, AreOverAtTheFirstWordAboutTheAccount) {
  draw_into_silence();
  client_holds();
  ASSERT_TRUE(until([&] { return plane->looks >= 3; }));
  answer_oldest(ErrorKind::provider_auth);
  ASSERT_TRUE(until([&] { return service->breaker_open(); }));
}

TEST_F(HangingLooks, ThatAreLateAreWaitedForByAnEnding) {
  draw_into_silence();
  plane->hold_looks = false;
  client_holds();
  ASSERT_TRUE(until_state(State::active));
  ASSERT_EQ(plane->unanswered[ChipIndex(0)].size(), 1U);
  ASSERT_TRUE(std::holds_alternative<Released>(run(service->release(id("alpha"), std::nullopt))));
  EXPECT_TRUE(plane->unanswered[ChipIndex(0)].empty()) << "the fence has called it off";
  EXPECT_EQ(chip().state, State::released);
}

TEST_F(HangingLooks, OfACanaryAtAGatewayThatIsDownHaveOthersBesideThem) {
  open();
  plane->failure = Error{ErrorKind::gateway_tls_failed};
  service->wanted(ChipIndex(0));
  ASSERT_TRUE(until([&] { return service->breaker_open(); }));
  const auto before = plane->looks;
  plane->hold_looks = true;
  ASSERT_TRUE(until([&] { return plane->looks > before; }));
  plane->hold_looks = false;
  plane->failure.reset();
  ASSERT_TRUE(until_state(State::active)) << "everybody waits behind it, also where nobody waits for its own chip";
}

}  // namespace
}  // namespace chipgate::lifecycle
