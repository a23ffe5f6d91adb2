// Releases, rotations, removals and renewals: fenced first, closed then.
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

class Endings : public World {
 protected:
  Released release(std::optional<AssignmentId> assignment = std::nullopt) {
    return std::get<Released>(run(service->release(id("alpha"), assignment)));
  }
  template <class T>
  Denial denial(Wish<T> answer) {
    const auto* denied = std::get_if<Denied>(&answer);
    EXPECT_NE(denied, nullptr);
    return denied == nullptr ? Denial::unknown_chip : denied->why;
  }
};

TEST_F(Endings, AReleaseFencesBeforeItsRowCloses) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  plane->finish_fences = false;
  bool answered = false;
  boost::asio::co_spawn(
      *control,
      [&]() -> net::Task<void> {
        (void)co_await service->release(id("alpha"), std::nullopt);
        answered = true;
      },
      [](const std::exception_ptr&) {});
  ASSERT_TRUE(until([&] { return !plane->fences.empty(); }));
  settle();
  const auto row = history().front().row;
  EXPECT_EQ(row.state, ledger::AssignmentState::open) << "a socket is still there";
  EXPECT_TRUE(row.closing_at) << "and a restart would know";
  EXPECT_FALSE(answered);
  EXPECT_FALSE(port().route);
  plane->finish();
  ASSERT_TRUE(until([&] { return answered; }));
  EXPECT_EQ(history().front().row.state, ledger::AssignmentState::closed);
  EXPECT_EQ(history().front().row.release_reason, "released");
  EXPECT_EQ(history().front().row.id, first.id);
}

TEST_F(Endings, AReleaseDisarmsUntilTheNextConnect) {
  add("alpha");
  open();
  (void)connected();
  release();
  service->wanted(ChipIndex(0));
  settle();
  EXPECT_EQ(chip().state, State::released);
  EXPECT_EQ(port().refusals.back(), ErrorKind::chip_released);
  (void)connected();
  EXPECT_EQ(chip().arming, ledger::Arming::armed);
}

TEST_F(Endings, ALateReleaseDoesNotEndTheSuccessor) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  release(first.id);
  EXPECT_EQ(release(first.id).assignment, std::nullopt) << "a repeat changes nothing";
  const auto second = *connected().assignment;
  EXPECT_EQ(denial(run(service->release(id("alpha"), first.id))), Denial::not_current);
  EXPECT_EQ(chip().assignment->id, second.id);
}

TEST_F(Endings, ARotationGivesAnotherSessionAndAnotherExit) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  const auto answer = run(service->rotate(id("alpha"), first.id, std::chrono::seconds(10), Urgency::normal));
  const auto& second = *std::get<ChipView>(answer).assignment;
  EXPECT_NE(second.id, first.id);
  EXPECT_NE(second.session, first.session);
  EXPECT_NE(second.exits, first.exits);
  EXPECT_EQ(denial(run(service->rotate(id("alpha"), first.id, Milliseconds(0), Urgency::normal))), Denial::not_current);
}

TEST_F(Endings, AReleaseWhileDrawingLeavesNothingBehind) {
  add("alpha");
  open();
  (void)run(service->connect(id("alpha"), Milliseconds(0), Urgency::normal));
  release();
  EXPECT_EQ(chip().state, State::released);
  settle();
  for (const auto& row : history()) EXPECT_EQ(row.row.state, ledger::AssignmentState::closed);
  EXPECT_FALSE(port().route);
  EXPECT_EQ(connected().state, State::active);
}

TEST_F(Endings, ConnectDuringAReleaseDrawsAnew) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  plane->finish_fences = false;
  boost::asio::co_spawn(
      *control, [&]() -> net::Task<void> { (void)co_await service->release(id("alpha"), std::nullopt); },
      [](const std::exception_ptr&) {});
  ASSERT_TRUE(until([&] { return !plane->fences.empty(); }));
  plane->finish_fences = true;
  std::optional<ConnectAnswer> answer;
  boost::asio::co_spawn(
      *control,
      [&]() -> net::Task<void> {
        answer = co_await service->connect(id("alpha"), std::chrono::seconds(10), Urgency::normal);
      },
      [](const std::exception_ptr&) {});
  plane->finish();
  ASSERT_TRUE(until([&] { return answer.has_value(); }));
  EXPECT_EQ(std::get<ChipView>(*answer).state, State::active);
  EXPECT_NE(std::get<ChipView>(*answer).assignment->id, first.id);
}

TEST_F(Endings, ARemovedChipIsGoneWithItsPortAndKeepsItsHistory) {
  open();
  ASSERT_TRUE(std::holds_alternative<PutAnswer>(run(service->put({.id = id("alpha"), .port = 20'005}))));
  (void)connected();
  ASSERT_TRUE(std::holds_alternative<Released>(run(service->remove(id("alpha")))));
  EXPECT_FALSE(service->chip(id("alpha")));
  EXPECT_EQ(plane->calls.back(), "close");
  EXPECT_EQ(history({.chip = id("alpha")}).size(), 1U);
  EXPECT_EQ(denial(run(service->remove(id("alpha")))), Denial::unknown_chip);
}

TEST_F(Endings, AConfiguredChipIsRemovedInTheConfiguration) {
  add("alpha");
  open();
  EXPECT_EQ(denial(run(service->remove(id("alpha")))), Denial::configured);
}

TEST_F(Endings, AnAssignmentThatNobodyUsesEndsAndTheNextClientWakesTheChip) {
  add("alpha");
  options.life.keep.release_after = Milliseconds(10);
  open();
  (void)connected();
  port().usage.tunnels_open = 1;
  // Unused assignments are looked for once a second.
  const auto looked_for = Clock::now() + Milliseconds(1'200);
  ASSERT_TRUE(until([&] { return Clock::now() > looked_for; }));
  EXPECT_EQ(chip().state, State::active);
  port().usage.tunnels_open = 0;
  ASSERT_TRUE(until_state(State::released));
  EXPECT_EQ(history().front().row.release_reason, "unused");
  service->wanted(ChipIndex(0));
  EXPECT_TRUE(until_state(State::active));
}

TEST_F(Endings, HowLongAnAssignedChipIsQuietCountsFromItsLastTunnel) {
  add("alpha");
  open();
  EXPECT_FALSE(chip().quiet_since) << "nothing is assigned";
  (void)connected();
  ASSERT_TRUE(chip().quiet_since);
  EXPECT_LE(*chip().quiet_since, std::chrono::system_clock::now());
  port().usage.tunnels_open = 1;
  EXPECT_FALSE(chip().quiet_since);
  port().usage.tunnels_open = 0;
  const auto ended = std::chrono::system_clock::now() + std::chrono::hours(1);
  port().usage.last_used = Clock::now() + std::chrono::hours(1);
  ASSERT_TRUE(chip().quiet_since);
  EXPECT_GE(*chip().quiet_since, ended - std::chrono::seconds(1)) << "and not from the assignment's beginning";
  (void)release();
  EXPECT_FALSE(chip().quiet_since);
}

TEST_F(Endings, TwoNumbersOnOnePortAreToldOnce) {
  add("alpha");
  open();
  (void)connected();
  plane->crowded = {{ChipIndex(0), 2}};
  ASSERT_TRUE(until([&] { return told("chip.crowded") == 1; }));
  service->wanted(ChipIndex(0));
  settle();
  EXPECT_EQ(told("chip.crowded"), 1U);
}

TEST_F(Endings, ABanDeniesTheAddressForGood) {
  add("alpha");
  add("beta");
  open();
  const auto first = *connected("alpha").assignment;
  const auto denied = run(service->report(id("alpha"), {.kind = "banned", .note = "403"}));
  EXPECT_EQ(std::get<std::optional<IpAddress>>(denied), first.exits.v4);
  (void)run(service->release(id("alpha"), std::nullopt));
  plane->pool = {*first.exits.v4, PlayedPlane::address(6)};
  plane->next_exit = 0;
  EXPECT_EQ(connected("beta").assignment->exits.v4, PlayedPlane::address(6));
}

TEST_F(Endings, AQuotaThatIsReachedBlocksTheChip) {
  open();
  ChipSpec spec{.id = id("alpha"), .port = 20'005};
  spec.quota.day = 1'000;
  ASSERT_TRUE(std::holds_alternative<PutAnswer>(run(service->put(spec))));
  (void)connected();
  port().usage.bytes_down = 2'000;
  count_traffic();
  ASSERT_TRUE(until_state(State::blocked));
  EXPECT_EQ(chip().trouble->kind, ErrorKind::quota_reached);
}

TEST_F(Endings, AChipThatWaitsForItsTurnToDrawIsReleasedAtOnce) {
  options.life.draw.per_second = 1;
  for (const auto* name : {"alpha", "beta", "gamma", "delta"}) add(name, ledger::ConnectMode::on_start);
  for (int i = 0; i < 30; ++i) add("chip-" + std::to_string(i), ledger::ConnectMode::on_start);
  open();
  const auto released = std::get<Released>(run(service->release(id("chip-29"), std::nullopt)));
  EXPECT_EQ(released.recorded, Recorded::yes);
  EXPECT_EQ(chip("chip-29").state, State::released);
}

TEST_F(Endings, ACanaryThatIsFencedHoldsNobodyBack) {
  add("alpha");
  add("beta");
  options.life.verify.interval = Milliseconds(20);
  open();
  (void)connected("alpha");
  plane->failure = Error{ErrorKind::provider_auth};
  ASSERT_TRUE(until([&] { return service->gateway().account.has_value(); }));
  plane->hold_looks = true;
  ASSERT_TRUE(until([&] { return !plane->unanswered[ChipIndex(0)].empty(); })) << "the canary";
  plane->failure.reset();
  plane->hold_looks = false;
  (void)run(service->release(id("alpha"), std::nullopt));
  EXPECT_EQ(connected("beta").state, State::active);
}

}  // namespace
}  // namespace chipgate::lifecycle
