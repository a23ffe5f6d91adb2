// How a chip gets its assignment.
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

class Draws : public World {};

TEST_F(Draws, AClientOfAnOnDemandChipGetsAnExitThatWasLookedAt) {
  add("alpha");
  open();
  EXPECT_EQ(chip().state, State::released);
  service->wanted(ChipIndex(0));
  ASSERT_TRUE(until_state(State::active));
  EXPECT_EQ(chip().assignment->exits.v4, PlayedPlane::address(1));
  ASSERT_TRUE(port().route);
  EXPECT_EQ(port().route->session, chip().assignment->session);
  EXPECT_EQ(port().route->exits, std::vector{PlayedPlane::address(1)});
  const auto rows = history();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].row.state, ledger::AssignmentState::open);
  EXPECT_EQ(rows[0].row.session, chip().assignment->session);
}

TEST_F(Draws, AManualChipWaitsForItsOperator) {
  add("alpha", ledger::ConnectMode::manual);
  open();
  service->wanted(ChipIndex(0));
  settle();
  EXPECT_EQ(chip().state, State::released);
  ASSERT_FALSE(port().refusals.empty());
  EXPECT_EQ(port().refusals.back(), ErrorKind::chip_released);
  EXPECT_EQ(connected().state, State::active);
}

TEST_F(Draws, AnOnStartChipNeedsNobody) {
  add("alpha", ledger::ConnectMode::on_start);
  open();
  EXPECT_TRUE(until_state(State::active));
}

TEST_F(Draws, ConnectIsIdempotent) {
  add("alpha");
  open();
  const auto first = connected();
  const auto second = connected();
  EXPECT_EQ(first.assignment->id, second.assignment->id);
  EXPECT_EQ(history().size(), 1U);
}

TEST_F(Draws, TwoChipsNeverShareAnExit) {
  add("alpha");
  add("beta");
  open();
  plane->pool = {PlayedPlane::address(1), PlayedPlane::address(1), PlayedPlane::address(2)};
  (void)connected("alpha");
  const auto beta = connected("beta");
  EXPECT_EQ(beta.assignment->exits.v4, PlayedPlane::address(2));
  EXPECT_EQ(service->duplicates(), 0U);
}

TEST_F(Draws, ARoundThatFindsNothingIsFollowedByAnother) {
  add("alpha");
  add("beta");
  open();
  plane->pool = {PlayedPlane::address(1)};
  (void)connected("alpha");
  auto beta = run(service->connect(id("beta"), Milliseconds(0), Urgency::normal));
  ASSERT_TRUE(until([&] { return chip("beta").trouble.has_value(); }));
  EXPECT_EQ(chip("beta").trouble->kind, ErrorKind::no_free_exit);
  EXPECT_EQ(chip("beta").state, State::acquiring);
  plane->pool = {PlayedPlane::address(7)};
  EXPECT_TRUE(until_state(State::active, "beta"));
}

TEST_F(Draws, AfterARoundThatWasAnOutageEachRoundIsOneDraw) {
  add("alpha");
  options.life.draw.retry_min = Milliseconds(200);
  open();
  plane->failure = Error{ErrorKind::provider_no_exit};
  (void)run(service->connect(id("alpha"), Milliseconds(0), Urgency::normal));
  ASSERT_TRUE(until([&] { return chip().trouble.has_value(); }));
  const auto round = plane->looks;
  const auto draw = round / options.life.draw.per_round;
  EXPECT_GT(draw, 0U);
  ASSERT_TRUE(until([&] { return plane->looks > round; }));
  settle();
  EXPECT_LE(plane->looks, round + draw);
  plane->failure.reset();
  EXPECT_TRUE(until_state(State::active));
}

TEST_F(Draws, ASessionIsInTheLedgerBeforeItsFirstByte) {
  add("alpha");
  open();
  (void)connected();
  const auto session = chip().assignment->session;
  const auto issued =
      run(opened->ledger->issue({session, WireSession("other"), id("alpha"), std::chrono::system_clock::now()}));
  EXPECT_EQ(issued.value(), ledger::Issued::taken);
}

TEST_F(Draws, IdentifiersOfOneSecondDiffer) {
  add("alpha");
  options.life.draw.per_chip_and_hour = 100;
  open();
  std::set<std::string> seen;
  for (int i = 0; i < 6; ++i) {
    seen.insert(connected().assignment->session.value());
    (void)run(service->release(id("alpha"), std::nullopt));
  }
  EXPECT_EQ(seen.size(), 6U);
}

TEST_F(Draws, AnEchoThatIsDownIsReplacedByTheOther) {
  add("alpha");
  open();
  plane->silent_echoes = {"echo-a"};
  EXPECT_EQ(connected().state, State::active);
}

TEST_F(Draws, AskAnotherEchoAfterASilentOneWhateverOthersAskMeanwhile) {
  add("alpha");
  add("beta");
  open();
  plane->silent_echoes = {"echo-a"};
  service->wanted(ChipIndex(0));
  service->wanted(ChipIndex(1));
  ASSERT_TRUE(until([&] { return service->count(State::active) == 2; }));
  EXPECT_EQ(plane->looks_of.size(), 2U) << "no session was given up for an echo's sake";
}

TEST_F(Draws, NothingIsAdmittedWhereNoEchoAnswers) {
  add("alpha");
  open();
  plane->silent_echoes = {"echo-a", "echo-b"};
  (void)run(service->connect(id("alpha"), Milliseconds(50), Urgency::normal));
  ASSERT_TRUE(until([&] { return chip().trouble.has_value(); }));
  EXPECT_FALSE(port().route);
  EXPECT_TRUE(history().empty());
  plane->silent_echoes.clear();
  EXPECT_TRUE(until_state(State::active));
}

TEST_F(Draws, WithoutLookingTheChipIsOpenAtOnceAndNoExitIsKnown) {
  add("alpha");
  options.life.verify.looking = Looking::off;
  open();
  const auto made = connected();
  EXPECT_EQ(made.assignment->exits, ledger::Exits{});
  EXPECT_EQ(plane->looks, 0U);
}

TEST_F(Draws, AnAccountThatIsRefusedIsAskedByOneCanaryAtATime) {
  for (int i = 0; i < 20; ++i) add("chip-" + std::to_string(i), ledger::ConnectMode::on_start);
  options.life.draw.per_round = 1;
  open();
  plane->failure = Error{ErrorKind::provider_auth};
  ASSERT_TRUE(until([&] { return service->gateway().account.has_value(); }));
  // Everything that a chip does by itself is done again within 40 ms.
  const auto for_a_while = [&] {
    const auto later = Clock::now() + Milliseconds(300);
    ASSERT_TRUE(until([&] { return Clock::now() > later; }));
  };
  for_a_while();
  // Those that were under way when the first answer came, and then only canaries, after one second and after two more.
  const auto at_first = plane->looks;
  ASSERT_TRUE(until([&] { return plane->looks > at_first; }));
  for_a_while();
  EXPECT_EQ(plane->looks, at_first + 1);
  plane->failure.reset();
  plane->pool.clear();
  for (unsigned i = 1; i <= 20; ++i) plane->pool.push_back(PlayedPlane::address(i));
  EXPECT_TRUE(until([&] { return service->count(State::active) == 20; }));
  EXPECT_FALSE(service->gateway().account.has_value());
  EXPECT_EQ(told("gateway.recovered"), 1U);
}

TEST_F(Draws, TheHourlyCapHoldsUntilAnOperatorForces) {
  add("alpha");
  options.life.draw.per_chip_and_hour = 2;
  open();
  for (int i = 0; i < 2; ++i) {
    (void)connected();
    (void)run(service->release(id("alpha"), std::nullopt));
  }
  const auto capped = std::get<ChipView>(run(service->connect(id("alpha"), Milliseconds(300), Urgency::normal)));
  EXPECT_EQ(capped.state, State::acquiring);
  ASSERT_TRUE(capped.trouble);
  EXPECT_EQ(capped.trouble->kind, ErrorKind::draws_capped);
  const auto forced = std::get<ChipView>(run(service->connect(id("alpha"), std::chrono::seconds(10), Urgency::forced)));
  EXPECT_EQ(forced.state, State::active);
}

TEST_F(Draws, AQuarantinedExitIsTakenWhereNothingElseIsThere) {
  add("alpha");
  add("beta");
  open();
  plane->pool = {PlayedPlane::address(1)};
  (void)connected("alpha");
  (void)run(service->release(id("alpha"), std::nullopt));
  const auto beta = connected("beta");
  EXPECT_EQ(beta.assignment->exits.v4, PlayedPlane::address(1));
  EXPECT_TRUE(until([&] { return told("chip.exit_scarce") == 1; }));
}

TEST_F(Draws, StrictBlocksInsteadUntilAnOperatorConnects) {
  add("alpha");
  add("beta");
  options.life.draw.when_scarce = WhenScarce::strict;
  open();
  plane->pool = {PlayedPlane::address(1)};
  (void)connected("alpha");
  (void)run(service->release(id("alpha"), std::nullopt));
  const auto beta = std::get<ChipView>(run(service->connect(id("beta"), std::chrono::seconds(10), Urgency::normal)));
  EXPECT_EQ(beta.state, State::blocked);
  EXPECT_EQ(beta.trouble->kind, ErrorKind::no_free_exit);
  plane->pool = {PlayedPlane::address(2)};
  EXPECT_EQ(connected("beta").state, State::active);
}

TEST_F(Draws, AChipNeverGetsItsLastExitAgain) {
  add("alpha");
  open();
  plane->pool = {PlayedPlane::address(1), PlayedPlane::address(1), PlayedPlane::address(2)};
  EXPECT_EQ(connected().assignment->exits.v4, PlayedPlane::address(1));
  (void)run(service->release(id("alpha"), std::nullopt));
  EXPECT_EQ(connected().assignment->exits.v4, PlayedPlane::address(2));
}

TEST_F(Draws, ThatWaitForTheirTurnHeedWhatTheFirstOnesHearOfTheAccount) {
  options.life.draw.per_second = 10;
  for (unsigned i = 0; i < 40; ++i) add("chip-" + std::to_string(i), ledger::ConnectMode::on_start);
  open();
  plane->failure = Error{ErrorKind::provider_auth};
  const auto enough = Clock::now() + std::chrono::milliseconds(1'500);
  ASSERT_TRUE(until([&] { return Clock::now() > enough; }));
  EXPECT_LE(plane->looks, 20U) << "a second's worth that went at once, and canaries; 26 where all take their turns";
}

TEST_F(Draws, ThatAreForcedAndThenReleasedForceNoLaterOnes) {
  add("alpha");
  options.life.draw.per_chip_and_hour = 1;
  open();
  (void)connected();
  (void)run(service->release(id("alpha"), std::nullopt));
  plane->silent_echoes = {"echo-a", "echo-b"};
  (void)run(service->connect(id("alpha"), Milliseconds(0), Urgency::forced));
  (void)run(service->release(id("alpha"), std::nullopt));
  plane->silent_echoes.clear();
  const auto capped = std::get<ChipView>(run(service->connect(id("alpha"), Milliseconds(300), Urgency::normal)));
  EXPECT_EQ(capped.state, State::acquiring);
}

}  // namespace
}  // namespace chipgate::lifecycle
