// What the scrape is told of chips' lives.
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

using telemetry::DrawOutcome;
using telemetry::LookOutcome;

class Metrics : public World {
 protected:
  Metrics() { options.life.verify.interval = std::chrono::hours(1); }
  void move(std::string_view name, unsigned to) {
    plane->exits[chip(name).assignment->session.value()] = PlayedPlane::address(to);
  }
  LookVerdict looked_at(std::string_view name) {
    return std::get<VerifyAnswer>(run(service->verify(id(name)))).verdict;
  }
  std::uint64_t draws(DrawOutcome outcome) const { return service->counters().draw(outcome).value(); }
  std::uint64_t looks(LookOutcome outcome) const { return service->counters().look(outcome).value(); }
};

class Duplicates : public Metrics {
 protected:
  void two_active_chips() {
    add("alpha");
    add("beta");
    open();
    (void)connected("alpha");  // at 192.0.2.1
    (void)connected("beta");   // at 192.0.2.2
    port(0).usage.tunnels_open = 1;
    port(1).usage.tunnels_open = 1;
    ASSERT_EQ(service->duplicates(), 0U);
  }
};

TEST_F(Duplicates, AreShownAfterAReplyUntilALookHasSpoken) {
  two_active_chips();
  plane->silent_echoes = {"echo-a", "echo-b"};
  service->other_exit(ChipIndex(0), port(0).epoch, PlayedPlane::address(2));
  EXPECT_EQ(service->duplicates(), 2U) << "both of them";
  EXPECT_EQ(looked_at("alpha"), LookVerdict::unknown);
  EXPECT_EQ(service->duplicates(), 2U) << "nobody has seen anything else";
  plane->silent_echoes.clear();
  EXPECT_EQ(looked_at("alpha"), LookVerdict::same);
  EXPECT_EQ(service->duplicates(), 0U);
  EXPECT_EQ(service->counters().duplicates_seen.value(), 1U);
  EXPECT_TRUE(until([&] { return told("chip.exit_shared") == 1; }));
}

TEST_F(Duplicates, AreCountedAlthoughTheFenceFollowsAtOnce) {
  two_active_chips();
  move("alpha", 2);
  EXPECT_EQ(looked_at("alpha"), LookVerdict::other);
  EXPECT_EQ(service->counters().duplicates_seen.value(), 1U);
  ASSERT_TRUE(until([&] { return port(0).told.has_value(); }));
  EXPECT_EQ(service->duplicates(), 0U) << "the tunnels of one are gone";
}

TEST_F(Duplicates, AreChipsWithTunnels) {
  two_active_chips();
  port(0).usage.tunnels_open = 0;
  plane->silent_echoes = {"echo-a", "echo-b"};
  service->other_exit(ChipIndex(0), port(0).epoch, PlayedPlane::address(2));
  EXPECT_EQ(service->duplicates(), 0U);
  EXPECT_EQ(service->counters().duplicates_seen.value(), 0U);
  port(0).usage.tunnels_open = 1;
  EXPECT_EQ(service->duplicates(), 2U);
}

TEST_F(Duplicates, AreTwoAddressesOfOnePrefixToo) {
  two_active_chips();
  close();
  options.life.prefix_v4 = 24;
  open();
  ASSERT_TRUE(until_state(State::active, "alpha") && until_state(State::active, "beta"));
  port(0).usage.tunnels_open = 1;
  port(1).usage.tunnels_open = 1;
  EXPECT_EQ(service->duplicates(), 2U);
}

TEST_F(Metrics, DrawsAreCountedByWhatBecameOfThem) {
  for (const auto* name : {"alpha", "beta", "gamma"}) add(name);
  open();
  using Addresses = std::vector<IpAddress>;
  plane->pool = Addresses{PlayedPlane::address(1), PlayedPlane::address(1), PlayedPlane::address(2)};
  (void)connected("alpha");
  EXPECT_EQ(draws(DrawOutcome::taken), 1U);
  (void)connected("beta");
  EXPECT_EQ(draws(DrawOutcome::taken), 2U);
  EXPECT_EQ(draws(DrawOutcome::in_use), 1U);
  (void)run(service->release(id("alpha"), std::nullopt));
  plane->pool = Addresses{PlayedPlane::address(1), PlayedPlane::address(3)};
  plane->next_exit = 0;
  (void)connected("alpha");
  EXPECT_EQ(draws(DrawOutcome::own_last), 1U);
  EXPECT_EQ(draws(DrawOutcome::taken), 3U);
  plane->pool = Addresses{PlayedPlane::address(1)};
  (void)connected("gamma");
  EXPECT_EQ(draws(DrawOutcome::quarantined), options.life.draw.per_round);
  EXPECT_EQ(draws(DrawOutcome::scarce), 1U);
  EXPECT_EQ(draws(DrawOutcome::failed), 0U);
}

TEST_F(Metrics, DrawsThatFailAreCountedToo) {
  add("alpha");
  open();
  plane->failure = Error{ErrorKind::provider_session_lost};
  service->wanted(ChipIndex(0));
  ASSERT_TRUE(until([&] { return draws(DrawOutcome::failed) >= options.life.draw.per_round; }));
  plane->failure.reset();
  ASSERT_TRUE(until_state(State::active));
  EXPECT_EQ(draws(DrawOutcome::taken), 1U);
}

TEST_F(Metrics, LooksAreCountedByTheirVerdict) {
  add("alpha");
  open();
  (void)connected();
  EXPECT_EQ(looks(LookOutcome::same), 0U) << "a draw is none";
  (void)looked_at("alpha");
  EXPECT_EQ(looks(LookOutcome::same), 1U);
  plane->silent_echoes = {"echo-a", "echo-b"};
  (void)looked_at("alpha");
  EXPECT_EQ(looks(LookOutcome::unknown), 1U);
  plane->silent_echoes.clear();
  move("alpha", 9);
  (void)looked_at("alpha");
  EXPECT_EQ(looks(LookOutcome::other), 1U);
  EXPECT_EQ(service->counters().look_bytes_up.value(), 100 * plane->looks);
  EXPECT_EQ(service->counters().look_bytes_down.value(), 200 * plane->looks);
}

TEST_F(Metrics, AMoveIsCountedWithItsExposure) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  EXPECT_EQ(service->counters().exposure.snapshot().count(), 0U);
  move("alpha", 9);
  (void)looked_at("alpha");
  ASSERT_TRUE(until([&] { return chip().assignment && chip().assignment->id != first.id; }));
  EXPECT_EQ(service->counters().moves.value(), 1U);
  const auto exposure = service->counters().exposure.snapshot();
  EXPECT_EQ(exposure.count(), 1U);
  EXPECT_GE(exposure.sum_seconds, std::chrono::duration<double>(*history()[1].row.exposure).count());
}

TEST_F(Metrics, ExposureLastsUntilEverythingIsFenced) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  plane->finish_fences = false;
  move("alpha", 9);
  (void)looked_at("alpha");
  ASSERT_TRUE(until([&] { return !plane->fences.empty(); }));
  EXPECT_EQ(service->counters().exposure.snapshot().count(), 0U);
  constexpr Milliseconds while_fencing{50};
  const auto later = Clock::now() + while_fencing;
  ASSERT_TRUE(until([&] { return Clock::now() > later; }));
  plane->finish_fences = true;
  plane->finish();
  ASSERT_TRUE(until([&] { return chip().assignment && chip().assignment->id != first.id; }));
  EXPECT_GE(*history()[1].row.exposure, while_fencing);
}

TEST_F(Metrics, AnEndingThatIsNoMoveHasNoExposure) {
  add("alpha");
  open();
  (void)connected();
  (void)run(service->release(id("alpha"), std::nullopt));
  EXPECT_EQ(service->counters().moves.value(), 0U);
  EXPECT_EQ(service->counters().exposure.snapshot().count(), 0U);
}

TEST_F(Metrics, TheBreakerOpensOnceForAllThatFailBehindIt) {
  add("alpha");
  add("beta");
  open();
  EXPECT_FALSE(service->breaker_open());
  plane->failure = Error{ErrorKind::provider_auth};
  service->wanted(ChipIndex(0));
  service->wanted(ChipIndex(1));
  ASSERT_TRUE(until([&] { return service->breaker_open(); }));
  ASSERT_TRUE(until([&] { return draws(DrawOutcome::failed) >= 2; }));
  EXPECT_EQ(service->counters().breaker_opened.value(ErrorKind::provider_auth), 1U);
  plane->failure.reset();
  EXPECT_TRUE(until([&] { return !service->breaker_open(); }));
}

TEST_F(Metrics, ChipsWithTwoNumbersAreCountedWhileTheyHaveThem) {
  add("alpha");
  add("beta");
  open();
  plane->crowded = {{ChipIndex(1), 2}};
  ASSERT_TRUE(until([&] { return service->crowded_chips() == 1; }));
  plane->crowded.clear();
  EXPECT_TRUE(until([&] { return service->crowded_chips() == 0; }));
}

TEST_F(Metrics, AQuotasShareIsTheLargerOneAndHasWhatIsNotWrittenYet) {
  add("alpha");
  add("beta");
  chips[0].quota = {1'000'000, 2'000'000};
  open();
  port(0).usage.bytes_down = 500'000;
  const auto used = service->quota_used();
  ASSERT_EQ(used.size(), 1U) << "beta has none";
  EXPECT_EQ(used[0].chip, "alpha");
  EXPECT_DOUBLE_EQ(used[0].value, 0.5);
}

TEST_F(Metrics, ChipsWithoutAnAssignmentWereNeverVerified) {
  add("alpha");
  add("beta");
  open();
  (void)connected("alpha");
  const auto first = service->verified_at();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].chip, "alpha");
  (void)looked_at("alpha");
  EXPECT_GT(service->verified_at().at(0).value, first[0].value);
}

TEST_F(Metrics, WhereNobodyLooksNothingIsSaidToBeVerified) {
  add("alpha");
  options.life.verify.looking = Looking::off;
  open();
  (void)connected("alpha");
  EXPECT_FALSE(service->looking());
  EXPECT_TRUE(service->verified_at().empty());
}

TEST_F(Metrics, EventsAreCountedByTheirType) {
  add("alpha");
  open();
  (void)connected();
  (void)run(service->release(id("alpha"), std::nullopt));
  (void)connected();
  ASSERT_TRUE(until([&] { return told("chip.active") == 2; }));
  EXPECT_EQ(service->counters().events.at("chip.active"), 2U);
  EXPECT_EQ(service->counters().events.at("chip.released"), 1U);
}

TEST_F(Metrics, EveryStateIsTold) {
  add("alpha");
  open();
  (void)connected();
  const auto states = service->chip_states();
  ASSERT_EQ(states.size(), state_count);
  for (const auto& [state, count] : states) EXPECT_EQ(count, state == "active" ? 1U : 0U) << state;
  EXPECT_EQ(service->assignments_active(), 1U);
}

}  // namespace
}  // namespace chipgate::lifecycle
