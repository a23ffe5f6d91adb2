// What a chipgate that was killed leaves, and how the next one goes on.
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

class Restart : public World {};

TEST_F(Restart, AnOpenAssignmentIsResumedAndAdmitsNothingBeforeALook) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  reopen();
  EXPECT_EQ(chip().state, State::resuming);
  EXPECT_FALSE(port().route);
  ASSERT_TRUE(until_state(State::active));
  EXPECT_EQ(chip().assignment->id, first.id);
  EXPECT_EQ(port().route->session, first.session);
  EXPECT_EQ(chip().assignment->exits, first.exits);
}

TEST_F(Restart, AnExitThatMovedMeanwhileIsNeverAdmitted) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  plane->exits[first.session.value()] = PlayedPlane::address(9);
  reopen();
  ASSERT_TRUE(until_state(State::active));
  EXPECT_NE(chip().assignment->id, first.id);
  EXPECT_EQ(history()[1].row.release_reason, "moved");
}

TEST_F(Restart, AReleaseThatWasBegunIsFinished) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  plane->finish_fences = false;
  boost::asio::co_spawn(
      *control, [&]() -> net::Task<void> { (void)co_await service->release(id("alpha"), std::nullopt); },
      [](const std::exception_ptr&) {});
  ASSERT_TRUE(until([&] { return !plane->fences.empty(); }));
  settle();
  reopen();
  ASSERT_TRUE(until([&] { return history().front().row.state == ledger::AssignmentState::closed; }));
  EXPECT_EQ(history().front().row.id, first.id);
  EXPECT_TRUE(until_state(State::released));
  EXPECT_EQ(chip().arming, ledger::Arming::disarmed);
}

TEST_F(Restart, ARotationThatWasBegunGoesOnToItsNewExit) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  plane->finish_fences = false;
  boost::asio::co_spawn(
      *control,
      [&]() -> net::Task<void> {
        (void)co_await service->rotate(id("alpha"), std::nullopt, Milliseconds(0), Urgency::normal);
      },
      [](const std::exception_ptr&) {});
  ASSERT_TRUE(until([&] { return !plane->fences.empty(); }));
  settle();
  reopen();
  ASSERT_TRUE(until_state(State::active));
  EXPECT_NE(chip().assignment->id, first.id);
}

TEST_F(Restart, AnAssignmentWhoseCredentialsChangedEnds) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  provider::ProviderOptions other;
  other.username = "somebody-else";
  other.password = Secret("pass");
  close();
  provider = provider::Provider::make(other).value();
  open();
  ASSERT_TRUE(until_state(State::active));
  EXPECT_NE(chip().assignment->id, first.id);
  EXPECT_EQ(history()[1].row.release_reason, "config_changed");
}

TEST_F(Restart, AManualChipThatWasConnectedIsConnectedAgain) {
  add("alpha", ledger::ConnectMode::manual);
  open();
  plane->silent_echoes = {"echo-a", "echo-b"};
  (void)run(service->connect(id("alpha"), Milliseconds(0), Urgency::normal));
  reopen();
  EXPECT_TRUE(until_state(State::active));
}

TEST_F(Restart, AChipOfTheApiComesBackAndOneThatLeftTheConfigurationGoes) {
  add("alpha");
  open();
  ChipSpec spec{.id = id("beta"), .alias = "Second", .port = 20'009};
  spec.quota.month = 5'000'000;
  ASSERT_TRUE(std::holds_alternative<PutAnswer>(run(service->put(spec))));
  const auto first = *connected("alpha").assignment;
  chips.clear();
  reopen();
  EXPECT_FALSE(service->chip(id("alpha")));
  EXPECT_EQ(chip("beta").spec.alias, "Second");
  EXPECT_EQ(chip("beta").spec.port, 20'009);
  EXPECT_EQ(chip("beta").spec.quota.month, 5'000'000U);
  ASSERT_TRUE(until([&] { return history({.chip = id("alpha")}).front().row.released_at.has_value(); }));
  EXPECT_EQ(history({.chip = id("alpha")}).front().row.id, first.id);
}

TEST_F(Restart, AnotherModeIsRememberedAtTheStartAfterTheNextToo) {
  add("alpha", ledger::ConnectMode::manual);
  add("beta");
  open();
  settle();
  chips[0].connect = ledger::ConnectMode::on_demand;
  chips[1].connect = ledger::ConnectMode::manual;
  reopen();
  settle();
  reopen();
  EXPECT_EQ(chip("alpha").arming, ledger::Arming::armed);
  EXPECT_EQ(chip("beta").arming, ledger::Arming::disarmed);
  EXPECT_EQ(chip("beta").state, State::released) << "or it would connect by itself";
}

TEST_F(Restart, ChipsMayExchangeTheirPorts) {
  add("alpha");
  add("beta");
  open();
  settle();
  std::swap(chips[0].port, chips[1].port);
  reopen();
  settle();
  reopen();
  settle();
  for (const auto& row : opened->restored.chips) EXPECT_EQ(row.port, chip(row.id.value()).spec.port) << row.id.value();
}

TEST_F(Restart, TheHourlyCapOutlivesTheProcess) {
  add("alpha");
  options.life.draw.per_chip_and_hour = 1;
  open();
  (void)connected();
  (void)run(service->release(id("alpha"), std::nullopt));
  reopen();
  const auto capped = std::get<ChipView>(run(service->connect(id("alpha"), Milliseconds(300), Urgency::normal)));
  ASSERT_TRUE(capped.trouble);
  EXPECT_EQ(capped.trouble->kind, ErrorKind::draws_capped);
}

TEST_F(Restart, TrafficOfTheDayIsRemembered) {
  add("alpha");
  open();
  (void)connected();
  port().usage.bytes_up = 5'000;
  count_traffic();
  reopen();
  EXPECT_TRUE(until([&] { return chip().traffic_today.up >= 5'000; }));
}

TEST_F(Restart, AChipMayHaveALimitOfItsOwnForWhatsAppSessions) {
  add("alpha");
  add("beta");
  chips[1].max_whatsapp_sessions = 1;
  open();
  EXPECT_FALSE(port(0).most_whatsapp_sessions) << "what all chips have";
  EXPECT_EQ(port(1).most_whatsapp_sessions, 1U);
}

TEST_F(Restart, ARotationThatWasBegunEndsForAChipThatWasReleasedMeanwhile) {
  add("alpha");
  open();
  (void)connected();
  plane->finish_fences = false;
  const auto rotate = begin(service->rotate(id("alpha"), std::nullopt, Milliseconds(0), Urgency::normal));
  ASSERT_TRUE(until([&] { return !plane->fences.empty(); }));
  const auto release = begin(service->release(id("alpha"), std::nullopt));
  settle();
  reopen();
  ASSERT_TRUE(until_state(State::released));
  settle();
  EXPECT_EQ(history().size(), 1U) << "and draws nothing";
}

TEST_F(Restart, ARemovalThatWasBegunIsFinished) {
  open();
  (void)run(service->put({.id = id("alpha"), .port = 20'001, .connect = ledger::ConnectMode::on_demand}));
  (void)connected();
  plane->finish_fences = false;
  const auto removal = begin(service->remove(id("alpha")));
  ASSERT_TRUE(until([&] { return !plane->fences.empty(); }));
  settle();
  reopen();
  EXPECT_TRUE(until([&] { return !service->chip(id("alpha")).has_value(); }));
}

TEST_F(Restart, AConnectThatCameDuringAReleaseIsNotForgotten) {
  add("alpha", ledger::ConnectMode::manual);
  open();
  (void)connected();
  plane->finish_fences = false;
  const auto release = begin(service->release(id("alpha"), std::nullopt));
  ASSERT_TRUE(until([&] { return !plane->fences.empty(); }));
  const auto connect = begin(service->connect(id("alpha"), std::chrono::seconds(5), Urgency::normal));
  settle();
  settle();
  reopen();
  EXPECT_TRUE(until_state(State::active));
}

}  // namespace
}  // namespace chipgate::lifecycle
