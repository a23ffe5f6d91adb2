// Chips that have an exit that is to be confirmed first, and clients that wait for it.
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

class Resuming : public World {
 protected:
  Resuming() {
    add("alpha");
    options.life.verify.interval = std::chrono::hours(1);
  }
  // A restart, and from then on the gateway's answer to everything.
  void resume_under(ErrorKind failure) {
    open();
    first = *connected().assignment;
    auto exits = plane->exits;
    close();
    open();
    plane->exits = std::move(exits);
    plane->failure = Error{failure};
    ASSERT_TRUE(until([&] { return chip().trouble.has_value(); }));
  }
  // A session that is lost soon, and one that may be answered meanwhile.
  void resume_beside_another() {
    add("beta");
    options.life.verify.lost_after = Milliseconds(50);
    open();
    first = *connected().assignment;
    (void)connected("beta");
    reopen();
  }
  void client_holds() {
    port().usage.clients_held = 1;
    service->wanted(ChipIndex(0));
  }
  AssignmentView first;
};

TEST_F(Resuming, AreLookedAtEveryRetryMinAsLongAsSomebodyWaits) {
  resume_under(ErrorKind::gateway_silent);
  client_holds();
  const auto before = plane->looks;
  // By themselves they would be looked at after 1, 2, 4, 8 s.
  ASSERT_TRUE(until([&] { return plane->looks >= before + 40; }));
  EXPECT_EQ(port().explained, ErrorKind::gateway_silent);
  plane->failure.reset();
  ASSERT_TRUE(until_state(State::active));
  EXPECT_EQ(chip().assignment->id, first.id);
}

TEST_F(Resuming, AreLookedAtAtOnceForAClientThatComesLate) {
  resume_under(ErrorKind::gateway_silent);
  for (int i = 0; i < 8; ++i) (void)run(service->verify(id("alpha")));
  plane->failure.reset();
  service->wanted(ChipIndex(0));
  ASSERT_TRUE(until_state(State::active)) << "and not when its own time has come, after minutes";
  EXPECT_EQ(chip().assignment->id, first.id);
}

TEST_F(Resuming, TellTheirClientsWhyWhereTheAccountIsRefused) {
  resume_under(ErrorKind::provider_auth);
  // Each canary that fails makes the next one's time longer, until it is too long to wait for.
  ASSERT_TRUE(until([&] {
    service->wanted(ChipIndex(0));
    return !port().refusals.empty();
  }));
  EXPECT_EQ(port().refusals.back(), ErrorKind::provider_auth);
  plane->failure.reset();
  client_holds();
  ASSERT_TRUE(until_state(State::active));
  EXPECT_EQ(chip().assignment->id, first.id);
}

TEST_F(Resuming, LeaveAnEndpointThatIsDownForTheirClients) {
  open();
  first = *connected().assignment;
  reopen();
  plane->refusing_endpoints = {EndpointIndex(0)};
  client_holds();
  ASSERT_TRUE(until([&] { return chip().state == State::active && chip().assignment->id != first.id; }));
  EXPECT_EQ(chip().assignment->endpoint, "http://two:2");
  EXPECT_EQ(history()[1].row.release_reason, "endpoint_down");
}

TEST_F(Resuming, LeaveNoEndpointForOneFailureThereAfterOthersOfTheirSession) {
  resume_under(ErrorKind::provider_exit_timeout);
  client_holds();
  const auto before = plane->looks;
  ASSERT_TRUE(until([&] { return plane->looks >= before + 6; }));
  plane->hold_looks = true;
  auto& unanswered = plane->unanswered[ChipIndex(0)];
  ASSERT_TRUE(until([&] { return !unanswered.empty(); }));
  plane->failure.reset();
  plane->hold_looks = false;
  std::exchange(unanswered, {}).front()({Error{ErrorKind::gateway_refused}});
  ASSERT_TRUE(until_state(State::active));
  EXPECT_EQ(chip().assignment->id, first.id);
}

TEST_F(Resuming, StayAtAnEndpointThatIsDownWhereTheHourAllowsThemNoOther) {
  options.life.draw.per_chip_and_hour = 1;
  open();
  first = *connected().assignment;
  reopen();
  plane->refusing_endpoints = {EndpointIndex(0)};
  client_holds();
  ASSERT_TRUE(until([&] { return plane->looks >= 6; }));
  EXPECT_EQ(chip().state, State::resuming) << "or its clients would be refused for most of an hour";
  plane->refusing_endpoints.clear();
  ASSERT_TRUE(until_state(State::active));
  EXPECT_EQ(chip().assignment->id, first.id);
}

TEST_F(Resuming, AreLookedAtAtTheFleetsPace) {
  options.life.draw.per_second = 10;
  for (unsigned i = 0; i < 30; ++i) add("chip-" + std::to_string(i), ledger::ConnectMode::on_start);
  open();
  plane->pool.clear();
  for (unsigned i = 1; i <= 40; ++i) plane->pool.push_back(PlayedPlane::address(i));
  ASSERT_TRUE(until([&] { return service->count(State::active) == 30; }));
  reopen();
  for (unsigned i = 0; i < 31; ++i) service->wanted(ChipIndex(i));
  settle();
  EXPECT_LE(plane->looks, 12U) << "a second's worth at once, and what came meanwhile";
}

TEST_F(Resuming, AreLookedAtFirstWhereTheirClientsWait) {
  for (unsigned i = 0; i < 30; ++i) add("chip-" + std::to_string(i), ledger::ConnectMode::on_start);
  open();
  plane->pool.clear();
  for (unsigned i = 1; i <= 40; ++i) plane->pool.push_back(PlayedPlane::address(i));
  ASSERT_TRUE(until([&] { return service->count(State::active) == 30; }));
  (void)connected();
  options.life.draw.per_second = 1;
  reopen();
  ASSERT_TRUE(until([&] { return plane->looks >= 2; })) << "a second's worth at once";
  const std::uint32_t last = 30;
  ASSERT_EQ(service->chip(chips[last].id)->state, State::resuming);
  port(last).usage.clients_held = 1;
  service->wanted(ChipIndex(last));
  ASSERT_TRUE(until([&] { return service->chip(chips[last].id)->state == State::active; }));
  EXPECT_LE(plane->looks, 6U) << "and not after the others";
}

TEST_F(Resuming, DoNotEndAsUnusedWhileTheirClientsWait) {
  options.life.keep.unused = std::chrono::seconds(1);
  resume_under(ErrorKind::gateway_silent);
  client_holds();
  const auto enough = Clock::now() + std::chrono::milliseconds(2'500);
  ASSERT_TRUE(until([&] { return Clock::now() > enough; }));
  EXPECT_EQ(chip().state, State::resuming);
  port().usage.clients_held = 0;
  ASSERT_TRUE(until_state(State::released));
}

TEST_F(Resuming, KeepTheirSessionWhereItsLooksWereSwallowedWithAllOthers) {
  resume_beside_another();
  plane->failure = Error{ErrorKind::gateway_silent};
  ASSERT_TRUE(until([&] { return chip().trouble.has_value(); }));
  const auto lost = Clock::now() + std::chrono::milliseconds(100);
  ASSERT_TRUE(until([&] { return Clock::now() > lost; }));
  plane->hold_looks = true;
  client_holds();
  auto& swallowed = plane->unanswered[ChipIndex(0)];
  ASSERT_TRUE(until([&] { return swallowed.size() >= 2; }));
  plane->hold_looks = false;
  plane->failure.reset();
  (void)run(service->verify(id("beta")));
  for (auto& look : std::exchange(swallowed, {})) look({Error{ErrorKind::gateway_silent}});
  ASSERT_TRUE(until_state(State::active));
  EXPECT_EQ(chip().assignment->id, first.id) << "it is answered like all others by now";
}

TEST_F(Resuming, EndLikeOthersWhereNobodyUsesThem) {
  options.life.keep.unused = std::chrono::seconds(1);
  resume_under(ErrorKind::gateway_silent);
  ASSERT_TRUE(until_state(State::released)) << "a dead bot's exit costs looks and keeps an address";
}

TEST_F(Resuming, GetAnotherSessionWhereTheirsIsSilentAloneAndClientsWait) {
  resume_beside_another();
  plane->silent_sessions = {first.session.value()};
  client_holds();
  const auto looks = plane->looks_of[first.session.value()];
  ASSERT_TRUE(until([&] { return plane->looks_of[first.session.value()] >= looks + 20; }));
  EXPECT_EQ(chip().state, State::resuming) << "nobody else was answered meanwhile: all may be silent";
  (void)run(service->verify(id("beta")));
  ASSERT_TRUE(until_state(State::active));
  EXPECT_NE(chip().assignment->id, first.id);
  EXPECT_EQ(history({.chip = id("alpha")})[1].row.release_reason, "exit_lost");
}

}  // namespace
}  // namespace chipgate::lifecycle
