// Whether a chip may connect, in memory and in a ledger that is slow, or fails.
#include "unit/support/faulty_disk.hpp"
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

class Arming : public World {
 protected:
  Arming() { options.life.verify.interval = std::chrono::hours(1); }
  // The ledger goes before its disk.
  ~Arming() override {
    disk.let_go();
    close();
  }

  void open_with(ledger::ConnectMode mode) {
    add("alpha", mode);
    open();
    settle();
  }
  auto begin_connect() { return begin(service->connect(id("alpha"), std::chrono::seconds(5), Urgency::normal)); }
  auto begin_release() { return begin(service->release(id("alpha"), std::nullopt)); }
  void hold_the_disk() {
    settle();
    EXPECT_TRUE(until([&] { return opened->ledger->writes().queued == 0; }));
    disk.hold_syncs();
  }
  // With what is begun now: it does not end before the disk is let go on.
  void reach_the_disk() {
    EXPECT_TRUE(until([&] { return opened->ledger->writes().queued > 0; }));
    disk.wait_for_held_sync();
  }
  void fill_the_disk() { disk.fail_at(1, SQLITE_FULL, test::FaultyDisk::Fails::writes_only); }

  test::FaultyDisk disk;
};

TEST_F(Arming, EndsWithAReleaseThatComesWhileAConnectIsWritten) {
  open_with(ledger::ConnectMode::manual);
  hold_the_disk();
  const auto connect = begin_connect();
  reach_the_disk();
  const auto release = begin_release();
  control->poll();
  disk.let_go();
  ASSERT_TRUE(until([&] { return connect->has_value() && release->has_value(); }));
  ASSERT_TRUE(std::holds_alternative<ChipView>(**connect));
  EXPECT_EQ(std::get<ChipView>(**connect).state, State::released);
  EXPECT_EQ(chip().state, State::released);
  EXPECT_EQ(chip().arming, ledger::Arming::disarmed);
  reopen();
  EXPECT_EQ(chip().arming, ledger::Arming::disarmed);
}

TEST_F(Arming, EndsWithAConnectThatComesWhileAReleaseIsWritten) {
  open_with(ledger::ConnectMode::manual);
  (void)connected();
  hold_the_disk();
  const auto release = begin_release();
  reach_the_disk();
  const auto connect = begin_connect();
  control->poll();
  disk.let_go();
  ASSERT_TRUE(until([&] { return connect->has_value() && release->has_value(); }));
  ASSERT_TRUE(until_state(State::active));
  EXPECT_EQ(chip().arming, ledger::Arming::armed);
  settle();
  reopen();
  EXPECT_EQ(chip().arming, ledger::Arming::armed);
}

TEST_F(Arming, IsAsBeforeWhereItCannotBeWritten) {
  open_with(ledger::ConnectMode::manual);
  fill_the_disk();
  const auto one = begin_connect();
  const auto other = begin_connect();
  ASSERT_TRUE(until([&] { return one->has_value() && other->has_value(); }));
  for (const auto& answer : {one, other}) {
    ASSERT_TRUE(std::holds_alternative<Denied>(**answer));
    EXPECT_EQ(std::get<Denied>(**answer).why, Denial::ledger_unavailable);
  }
  EXPECT_EQ(chip().arming, ledger::Arming::disarmed);
  EXPECT_EQ(chip().state, State::released);
  disk.heal();
  ASSERT_TRUE(until([&] { return opened->ledger->writable(); })) << "it is tried again";
  settle();
  reopen();
  EXPECT_EQ(chip().arming, ledger::Arming::disarmed);
}

TEST_F(Arming, IsRememberedForAChipThatTheLedgerDoesNotHave) {
  open_with(ledger::ConnectMode::on_demand);
  ASSERT_TRUE(run(opened->ledger->delete_chip(id("alpha"), WallTime::clock::now())).has_value());
  (void)run(service->release(id("alpha"), std::nullopt));
  reopen();
  EXPECT_EQ(chip().arming, ledger::Arming::disarmed);
}

TEST_F(Arming, OfAManualChipThatNobodyUsesEndsAlsoWhereTheLedgerIsFull) {
  open_with(ledger::ConnectMode::manual);
  (void)connected();
  settle();
  fill_the_disk();
  auto life = options.life;
  life.keep.unused = Milliseconds(1);
  ASSERT_TRUE(std::holds_alternative<Reconfigured>(run(service->reconfigure({.life = life}))));
  const auto failures = opened->ledger->writes().failures;
  ASSERT_TRUE(until([&] { return opened->ledger->writes().failures > failures + 1; }));
  disk.heal();
  ASSERT_TRUE(until_state(State::released));
  const auto tried_again = Clock::now() + 5 * options.life.draw.retry_min;
  ASSERT_TRUE(until([&] { return Clock::now() > tried_again; }));
  settle();
  reopen();
  EXPECT_EQ(chip().arming, ledger::Arming::disarmed) << "or it would connect by itself";
  EXPECT_EQ(chip().state, State::released);
}

TEST_F(Arming, AndAnotherChangeAreWrittenOneAfterTheOther) {
  open_with(ledger::ConnectMode::manual);
  (void)run(service->put({.id = id("beta"), .port = 20'100, .connect = ledger::ConnectMode::manual}));
  hold_the_disk();
  const auto put =
      begin(service->put({.id = id("beta"), .alias = "Sales", .port = 20'100, .connect = ledger::ConnectMode::manual}));
  reach_the_disk();
  const auto connect = begin(service->connect(id("beta"), std::chrono::seconds(5), Urgency::normal));
  control->poll();
  disk.let_go();
  ASSERT_TRUE(until([&] { return put->has_value() && connect->has_value(); }));
  EXPECT_EQ(chip("beta").state, State::active);
  reopen();
  EXPECT_EQ(chip("beta").spec.alias, "Sales");
  EXPECT_EQ(chip("beta").arming, ledger::Arming::armed);
}

}  // namespace
}  // namespace chipgate::lifecycle
