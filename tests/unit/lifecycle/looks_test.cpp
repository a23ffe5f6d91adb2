// Chips that are looked at while they are active.
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

class Looks : public World {
 protected:
  Looks() { options.life.verify.interval = Milliseconds(20); }
  void move(std::string_view name, unsigned to) {
    plane->exits[chip(name).assignment->session.value()] = PlayedPlane::address(to);
  }
  void block_for_a_move() {
    add("alpha");
    options.life.verify.on_change = OnChange::block;
    open();
    (void)connected();
    move("alpha", 9);
    ASSERT_TRUE(until_state(State::blocked));
  }
};

TEST_F(Looks, ThatSayTheSameKeepTheAssignmentFresh) {
  add("alpha");
  open();
  const auto first = connected().assignment;
  ASSERT_TRUE(until([&] { return chip().assignment->verified_at > first->verified_at; }));
  EXPECT_EQ(chip().assignment->id, first->id);
  EXPECT_TRUE(until([&] { return history().front().row.verified_at > first->verified_at; }));
}

TEST_F(Looks, AMoveIsFencedRecordedAndRedrawn) {
  add("alpha");
  options.life.verify.echoes_v4 = {{{"echo-a", 80}, "/ip?key=hunter2"}, {{"echo-b", 80}, "/ip?key=hunter2"}};
  open();
  const auto first = *connected().assignment;
  move("alpha", 9);
  ASSERT_TRUE(until([&] { return chip().assignment && chip().assignment->id != first.id && port().route; }));
  EXPECT_EQ(port().told, ErrorKind::exit_moved);
  const auto rows = history();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].row.release_reason, "moved");
  EXPECT_TRUE(rows[1].row.exposure.has_value());
  ASSERT_EQ(rows[1].observations.size(), 1U);
  EXPECT_EQ(rows[1].observations[0].address, PlayedPlane::address(9));
  EXPECT_TRUE(rows[1].observations[0].echo.ends_with("/ip")) << rows[1].observations[0].echo;
  EXPECT_NE(chip().assignment->exits.v4, PlayedPlane::address(9));
  const auto possibly = history({.exit_ip = PlayedPlane::address(9)});
  ASSERT_EQ(possibly.size(), 1U);
  EXPECT_EQ(possibly[0].certainty, ledger::Certainty::possibly);
}

TEST_F(Looks, AnotherChipsMovedExitIsKeptFromBothOfThem) {
  add("alpha");
  add("beta");
  open();
  const auto first = *connected("alpha").assignment;
  plane->pool = {PlayedPlane::address(9), PlayedPlane::address(4)};
  plane->next_exit = 0;
  move("alpha", 9);
  ASSERT_TRUE(until([&] { return chip("alpha").assignment && chip("alpha").assignment->id != first.id; }));
  EXPECT_EQ(chip("alpha").assignment->exits.v4, PlayedPlane::address(4));
}

TEST_F(Looks, BlockLeavesTheDecisionToTheOperator) {
  ASSERT_NO_FATAL_FAILURE(block_for_a_move());
  EXPECT_EQ(chip().trouble->kind, ErrorKind::exit_moved);
  service->wanted(ChipIndex(0));
  EXPECT_EQ(chip().state, State::blocked);
  EXPECT_EQ(port().refusals.back(), ErrorKind::chip_blocked) << "how a tunnel ended is no refusal";
  EXPECT_EQ(connected().state, State::active);
}

TEST_F(Looks, BlockHoldsOverARestart) {
  ASSERT_NO_FATAL_FAILURE(block_for_a_move());
  settle();
  reopen();
  const auto looks = plane->looks;
  service->wanted(ChipIndex(0));
  settle();
  EXPECT_EQ(plane->looks, looks);
  ASSERT_FALSE(port().refusals.empty());
  EXPECT_EQ(port().refusals.back(), ErrorKind::chip_released);
  EXPECT_EQ(connected().state, State::active);
}

TEST_F(Looks, OneEchoThatLiesMovesNobody) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  plane->lies["echo-a"] = PlayedPlane::address(99);
  const auto before = plane->looks;
  ASSERT_TRUE(until([&] { return plane->looks > before + 10; }));
  EXPECT_EQ(chip().assignment->id, first.id);
  EXPECT_EQ(told("chip.moved"), 0U);
}

TEST_F(Looks, OneEchoThatLiesMovesNobodyWhereTheOtherOneIsDown) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  plane->silent_echoes = {"echo-b"};
  plane->lies["echo-a"] = PlayedPlane::address(99);
  const auto before = plane->looks;
  ASSERT_TRUE(until([&] { return plane->looks > before + 10; }));
  EXPECT_EQ(chip().assignment->id, first.id);
  EXPECT_EQ(told("chip.moved"), 0U);
}

TEST_F(Looks, ThatSayNothingKeepTheTunnelsUntilTheyAreTooOld) {
  add("alpha");
  options.life.verify.max_age = Milliseconds(200);
  open();
  const auto first = *connected().assignment;
  plane->silent_echoes = {"echo-a", "echo-b"};
  ASSERT_TRUE(until_state(State::resuming));
  EXPECT_FALSE(port().route) << "no new tunnels";
  EXPECT_FALSE(port().told) << "and none of the old ones cut";
  EXPECT_EQ(chip().assignment->id, first.id);
  plane->silent_echoes.clear();
  service->wanted(ChipIndex(0));
  ASSERT_TRUE(until_state(State::active));
  EXPECT_TRUE(port().route);
  EXPECT_EQ(chip().assignment->id, first.id);
}

TEST_F(Looks, AReplyThatNamesAnotherExitAdmitsNothingUntilTwoEchoesHaveSpoken) {
  add("alpha");
  options.life.verify.interval = std::chrono::hours(1);
  open();
  const auto first = *connected().assignment;
  service->other_exit(ChipIndex(0), port().epoch, PlayedPlane::address(8));
  EXPECT_FALSE(port().route);
  ASSERT_TRUE(until_state(State::active)) << "the header lied";
  EXPECT_EQ(chip().assignment->id, first.id);
  move("alpha", 9);
  service->other_exit(ChipIndex(0), port().epoch, PlayedPlane::address(9));
  ASSERT_TRUE(until([&] { return chip().assignment && chip().assignment->id != first.id; }));
}

TEST_F(Looks, NewsOfAnEpochThatIsPastIsDropped) {
  add("alpha");
  options.life.verify.interval = std::chrono::hours(1);
  open();
  (void)connected();
  const auto calls = plane->calls;
  service->other_exit(ChipIndex(0), Epoch(port().epoch.value() + 1), PlayedPlane::address(8));
  EXPECT_EQ(plane->calls, calls);
}

TEST_F(Looks, ASessionWhoseExitIsGoneIsKeptForAWhile) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  plane->failure = Error{ErrorKind::provider_session_lost};
  for (int i = 0; i < 10; ++i) (void)run(service->verify(id("alpha")));
  plane->failure.reset();
  (void)run(service->verify(id("alpha")));
  EXPECT_EQ(chip().assignment->id, first.id) << "it may be back after some seconds, however many ask meanwhile";
}

TEST_F(Looks, ASessionWhoseExitIsGoneIsReplacedAfterAWhile) {
  add("alpha");
  options.life.verify.lost_after = Milliseconds(100);
  open();
  const auto first = *connected().assignment;
  plane->failure = Error{ErrorKind::provider_session_lost};
  ASSERT_TRUE(until([&] {
    (void)run(service->verify(id("alpha")));
    return chip().state != State::active;
  }));
  plane->failure.reset();
  const auto index = ChipIndex(0);
  ASSERT_TRUE(
      until([&] { return chip().assignment && chip().assignment->id != first.id && plane->ports[index].route; }));
  EXPECT_EQ(history()[1].row.release_reason, "exit_lost");
}

TEST_F(Looks, ASessionWhoseExitIsGoneIsReplacedAlsoWhereSomeLooksSayNothing) {
  add("alpha");
  options.life.verify.lost_after = Milliseconds(100);
  open();
  (void)connected();
  auto failure = ErrorKind::provider_session_lost;
  EXPECT_TRUE(until([&] {
    plane->failure = Error{failure};
    (void)run(service->verify(id("alpha")));
    failure = failure == ErrorKind::gateway_silent ? ErrorKind::provider_session_lost : ErrorKind::gateway_silent;
    return chip().state != State::active;
  }));
  plane->failure.reset();
}

TEST_F(Looks, AnOutageOfAllIsNoPartOfTheTimeThatAnExitIsGone) {
  add("alpha");
  options.life.verify.lost_after = Milliseconds(50);
  open();
  const auto first = *connected().assignment;
  for (int i = 0; i < 2; ++i) {
    plane->failure = Error{ErrorKind::provider_session_lost};
    (void)run(service->verify(id("alpha")));
    plane->failure = Error{ErrorKind::provider_auth};
    const auto later = Clock::now() + options.life.verify.lost_after;
    ASSERT_TRUE(until([&] { return Clock::now() > later; }));
    (void)run(service->verify(id("alpha")));
  }
  EXPECT_EQ(chip().assignment->id, first.id);
  EXPECT_EQ(chip().state, State::active);
}

TEST_F(Looks, AnAccountThatIsRefusedEndsNoAssignment) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  plane->failure = Error{ErrorKind::provider_auth};
  ASSERT_TRUE(until([&] { return service->gateway().account.has_value(); }));
  for (int i = 0; i < 6; ++i) (void)run(service->verify(id("alpha")));
  EXPECT_EQ(chip().assignment->id, first.id);
  EXPECT_EQ(chip().state, State::active);
  plane->failure.reset();
  EXPECT_TRUE(until([&] { return !service->gateway().account.has_value(); }));
}

TEST_F(Looks, VerifyAnswersWhatWasSeen) {
  add("alpha");
  options.life.verify.interval = std::chrono::hours(1);
  open();
  (void)connected();
  EXPECT_EQ(std::get<VerifyAnswer>(run(service->verify(id("alpha")))).verdict, LookVerdict::same);
  plane->silent_echoes = {"echo-a", "echo-b"};
  EXPECT_EQ(std::get<VerifyAnswer>(run(service->verify(id("alpha")))).verdict, LookVerdict::unknown);
  plane->silent_echoes.clear();
  move("alpha", 9);
  const auto answer = std::get<VerifyAnswer>(run(service->verify(id("alpha"))));
  EXPECT_EQ(answer.verdict, LookVerdict::other);
  EXPECT_EQ(answer.address, PlayedPlane::address(9));
}

TEST_F(Looks, CountAsChipgatesOwnTraffic) {
  add("alpha");
  open();
  (void)connected();
  port().usage.bytes_up = 1'000;
  const auto view = chip();
  EXPECT_GE(view.traffic_today.up, 1'100U);
  count_traffic();
  const auto rows = run(opened->ledger->traffic(id("alpha"), "", "")).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].clients.up, 1'000U);
  EXPECT_GE(rows[0].own.up, 100U);
  EXPECT_GE(rows[0].own.down, 200U);
}

}  // namespace
}  // namespace chipgate::lifecycle
