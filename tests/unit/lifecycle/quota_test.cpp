// What a chip may carry in a day and a month.
#include "unit/support/outside.hpp"
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

class Quotas : public World {
 protected:
  Quotas() {
    add("alpha");
    // In the middle of a month, so that the next day is in it too.
    const std::chrono::sys_days today(std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
    const std::chrono::year_month_day date(today);
    const auto tenth = std::chrono::sys_days((date.year() / date.month() + std::chrono::months(1)) / 10);
    set_forward = std::chrono::duration_cast<Milliseconds>(tenth - today);
  }
  void connects_at_start() { chips[0].connect = ledger::ConnectMode::on_start; }
  void carry(std::uint64_t bytes) {
    port().usage.bytes_down += bytes;
    count_traffic();
  }
  // By a chip that is active.
  void use_up() {
    ASSERT_TRUE(until_state(State::active));
    carry(5'000);
    ASSERT_TRUE(until_state(State::blocked));
  }
  void next_day() {
    set_forward += std::chrono::hours(24);
    count_traffic();
  }
};

TEST_F(Quotas, OfADayLetTheChipGoOnWithTheNext) {
  connects_at_start();
  chips[0].quota.day = 1'000;
  open();
  use_up();
  next_day();
  EXPECT_EQ(chip().state, State::acquiring);
}

TEST_F(Quotas, OfAMonthStopTheChipOnTheNextDayToo) {
  chips[0].quota.month = 1'000;
  open();
  (void)connected();
  use_up();
  next_day();
  EXPECT_EQ(chip().state, State::blocked);
}

TEST_F(Quotas, OutliveTheProcessAndCostNoDraw) {
  chips[0].quota.month = 1'000;
  open();
  (void)connected();
  use_up();
  reopen();
  ASSERT_TRUE(until([&] { return chip().traffic_month.down >= 5'000; }));
  service->wanted(ChipIndex(0));
  EXPECT_EQ(chip().state, State::blocked);
  ASSERT_FALSE(port().refusals.empty());
  EXPECT_EQ(port().refusals.back(), ErrorKind::quota_reached);
  EXPECT_EQ(plane->looks, 0U);
}

TEST_F(Quotas, AreKnownBeforeAChipThatConnectsByItselfDraws) {
  connects_at_start();
  chips[0].quota.month = 1'000;
  open();
  use_up();
  reopen();
  ASSERT_TRUE(until_state(State::blocked));
  EXPECT_EQ(plane->looks, 0U);
  EXPECT_EQ(history().size(), 1U);
}

TEST_F(Quotas, ThatAreNotKnownKeepChipsWaitingAndTheirClientsAreToldWhy) {
  open();
  close();
  test::Outside outside(ledger_options.path);
  (void)outside.run("ALTER TABLE traffic RENAME TO elsewhere");
  open();
  port().usage.clients_held = 1;
  service->wanted(ChipIndex(0));
  EXPECT_TRUE(until([&] { return port().explained == ErrorKind::ledger_unavailable; }));
  EXPECT_EQ(chip().trouble, ErrorKind::ledger_unavailable);
  EXPECT_EQ(plane->looks, 0U) << "it might have used up its quota";
  (void)outside.run("ALTER TABLE elsewhere RENAME TO traffic");
  EXPECT_TRUE(until_state(State::active));
}

TEST_F(Quotas, LetAChipThatWaitsForItsClientsWaitForThem) {
  chips[0].quota.day = 1'000;
  open();
  (void)connected();
  use_up();
  next_day();
  EXPECT_EQ(chip().state, State::released);
  EXPECT_EQ(chip().arming, ledger::Arming::armed);
  EXPECT_FALSE(chip().trouble);
}

TEST_F(Quotas, AreNotLiftedByAnotherMode) {
  open();
  ChipSpec spec{.id = id("beta"), .port = 20'005};
  spec.quota.day = 1'000;
  ASSERT_TRUE(std::holds_alternative<PutAnswer>(run(service->put(spec))));
  (void)connected("beta");
  port(1).usage.bytes_down = 5'000;
  count_traffic();
  ASSERT_TRUE(until_state(State::blocked, "beta"));
  spec.connect = ledger::ConnectMode::on_start;
  ASSERT_TRUE(std::holds_alternative<PutAnswer>(run(service->put(spec))));
  EXPECT_EQ(chip("beta").state, State::blocked);
}

TEST_F(Quotas, CountWhatWasCarriedOnAPortThatTheChipHasLeft) {
  open();
  ChipSpec spec{.id = id("beta"), .port = 20'005};
  ASSERT_TRUE(std::holds_alternative<PutAnswer>(run(service->put(spec))));
  (void)connected("beta");
  port(1).usage.bytes_down = 5'000;
  (void)run(service->release(id("beta"), std::nullopt));
  const auto before = chip("beta").traffic_today.down;
  spec.port = 20'006;
  ASSERT_TRUE(std::holds_alternative<PutAnswer>(run(service->put(spec))));
  EXPECT_EQ(chip("beta").traffic_today.down, before);
  count_traffic();
  EXPECT_EQ(chip("beta").traffic_today.down, before);
}

TEST_F(Quotas, CountOfARemovedChipWhatItHasCarriedOnce) {
  open();
  (void)run(service->put({.id = id("beta"), .port = 20'005, .connect = ledger::ConnectMode::on_demand}));
  (void)connected("beta");
  port(1).usage.bytes_up = 1'000;
  count_traffic();
  const auto before = run(opened->ledger->traffic(id("beta"), "2000-01-01", "3000-01-01")).value();
  reopen();
  ASSERT_TRUE(until_state(State::active, "beta"));
  port(1).usage.bytes_up = 500;
  const auto removal = begin(service->remove(id("beta")));
  ASSERT_TRUE(until([&] { return plane->calls.back() == "close"; }));
  count_traffic();
  const auto after = run(opened->ledger->traffic(id("beta"), "2000-01-01", "3000-01-01")).value();
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after.front().clients.up, before.front().clients.up + 500);
}

TEST_F(Quotas, StopAnAssignmentThatWasResumed) {
  chips[0].quota.month = 1'000'000;
  open();
  (void)connected();
  carry(5'000);
  chips[0].quota.month = 1'000;
  reopen();
  ASSERT_TRUE(until_state(State::blocked));
  EXPECT_EQ(chip().trouble->kind, ErrorKind::quota_reached);
}

TEST_F(Quotas, LeaveABlockThatIsTheOperatorsAlone) {
  chips[0].quota.day = 1'000;
  options.life.verify.interval = std::chrono::hours(1);
  options.life.verify.on_change = OnChange::block;
  open();
  (void)connected();
  carry(5'000);
  reopen();
  ASSERT_TRUE(until([&] { return chip().traffic_today.down >= 5'000; }));
  EXPECT_EQ(connected().trouble->kind, ErrorKind::quota_reached) << "which its operator may overrule";
  const auto again = connected();
  ASSERT_EQ(again.state, State::active);
  plane->exits[again.assignment->session.value()] = PlayedPlane::address(9);
  (void)run(service->verify(id("alpha")));
  ASSERT_TRUE(until_state(State::blocked));
  EXPECT_EQ(chip().trouble->kind, ErrorKind::exit_moved);
  next_day();
  EXPECT_EQ(chip().state, State::blocked);
}

}  // namespace
}  // namespace chipgate::lifecycle
