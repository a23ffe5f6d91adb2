// A wall clock that somebody sets, and history that grows old.
#include "chipgate/lifecycle/clocks.hpp"

#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

using namespace std::chrono_literals;

class Jumps : public testing::Test {
 protected:
  Clocks clocks() {
    return {[this] { return std::chrono::system_clock::now() + set_; },
            [this](Milliseconds by) { told_.push_back(by); }};
  }
  // What was told, in whole seconds: time goes on while a test runs.
  std::vector<std::int64_t> told() const {
    std::vector<std::int64_t> seconds;
    for (const auto by : told_) seconds.push_back(std::chrono::round<std::chrono::seconds>(by).count());
    return seconds;
  }

  Milliseconds set_{0};
  std::vector<Milliseconds> told_;
};

TEST_F(Jumps, AreToldOnceAndWithTheirDirection) {
  auto watched = clocks();
  watched.heed();
  set_ = 1h;
  watched.heed();
  watched.heed();
  set_ = 1h - 45s;
  watched.heed();
  EXPECT_EQ(told(), (std::vector<std::int64_t>{3'600, -45}));
}

TEST_F(Jumps, UnderHalfAMinuteAreNone) {
  auto watched = clocks();
  for (const Milliseconds step : {29s, 58s, 30s, 1s}) {
    set_ = step;
    watched.heed();
  }
  EXPECT_EQ(told(), std::vector<std::int64_t>{});
}

class ClockThatIsSet : public World {
 protected:
  // alpha has left 192.0.2.1, which rests for an hour.
  void with_a_quarantine() {
    options.life.draw.when_scarce = WhenScarce::strict;
    options.life.verify.interval = 1h;
    add("alpha");
    add("beta");
    open();
    plane->pool = {PlayedPlane::address(1)};
    (void)connected("alpha");
    (void)run(service->release(id("alpha"), std::nullopt));
  }
};

TEST_F(ClockThatIsSet, ForwardEndsNoQuarantineEvenForADrawRightThen) {
  with_a_quarantine();
  set_forward = 2h;
  EXPECT_EQ(connected("beta").state, State::blocked);
  EXPECT_EQ(chip("beta").trouble->kind, ErrorKind::no_free_exit);
  EXPECT_EQ(service->counters().draw(telemetry::DrawOutcome::quarantined).value(), options.life.draw.per_round);
}

TEST_F(ClockThatIsSet, ForwardWhileQuarantinesEndLetsTheTimeGoOn) {
  ledger_options.quarantine = 200ms;
  with_a_quarantine();
  set_forward = 2h;
  const auto over = Clock::now() + 400ms;
  ASSERT_TRUE(until([&] { return Clock::now() > over; }));
  EXPECT_EQ(connected("beta").state, State::active) << "its 200 ms are over by any clock";
}

TEST_F(ClockThatIsSet, BackAndForwardAgainLengthensNoQuarantine) {
  ledger_options.quarantine = 200ms;
  with_a_quarantine();
  // It is asked once a second.
  for (const auto wrong : {Milliseconds(-1h), Milliseconds(0)}) {
    set_forward = wrong;
    const auto noticed = Clock::now() + 1'200ms;
    ASSERT_TRUE(until([&] { return Clock::now() > noticed; }));
  }
  EXPECT_EQ(connected("beta").state, State::active);
}

TEST_F(ClockThatIsSet, MakesEveryChipBeLookedAtBeforeNewTunnels) {
  options.life.verify.interval = 1h;
  add("alpha");
  open();
  (void)connected();
  const auto looks = plane->looks;
  plane->calls.clear();
  set_forward = -1h;
  ASSERT_TRUE(until([&] { return std::ranges::count(plane->calls, "withhold") == 1; }));
  ASSERT_TRUE(until_state(State::active));
  EXPECT_GT(plane->looks, looks);
}

class OldHistory : public World {
 protected:
  static constexpr Milliseconds two_months{24h * 62};

  // alpha's first assignment is two months old at the next start.
  void begin_long_ago() {
    options.life.verify.interval = 24h * 365;
    add("alpha");
    open();
    (void)connected();
    (void)run(service->release(id("alpha"), std::nullopt));
    const auto now = std::chrono::system_clock::now();
    const auto first_of_the_month = rfc3339(now + two_months).substr(0, 8) + "01";
    for (const auto& day : {rfc3339(now).substr(0, 10), first_of_the_month}) {
      ASSERT_TRUE(run(opened->ledger->add_traffic({{id("alpha"), day, {1, 1}, {}}})).has_value());
    }
    close();
    set_forward = two_months;
  }
  std::vector<ledger::TrafficRow> traffic() { return run(opened->ledger->traffic(id("alpha"), "", "")).value(); }
};

TEST_F(OldHistory, IsKeptForEverWhereNobodySaysOtherwise) {
  begin_long_ago();
  open();
  (void)connected();
  settle();
  EXPECT_EQ(history().size(), 2U);
  EXPECT_EQ(traffic().size(), 2U);
}

TEST_F(OldHistory, IsTrimmedAtTheStartButForTheMonthsTrafficAndTheLastExit) {
  begin_long_ago();
  open();
  (void)connected();
  (void)run(service->release(id("alpha"), std::nullopt));
  ASSERT_EQ(history().size(), 2U);
  close();
  options.retention = 24h;
  open();
  ASSERT_TRUE(until([&] { return history().size() == 1; })) << "the chip's last one";
  const auto rows = traffic();
  ASSERT_EQ(rows.size(), 1U) << "quotas are added up from it";
  EXPECT_TRUE(rows.front().day.ends_with("-01")) << rows.front().day;
  const auto day_ago = std::chrono::system_clock::now() + set_forward - 24h;
  for (const auto& event : run(opened->ledger->events({})).value()) EXPECT_GT(event.at, day_ago) << event.type;
}

}  // namespace
}  // namespace chipgate::lifecycle
