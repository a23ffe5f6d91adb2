// What the ledger cannot take is written once it can, and nobody gains by it meanwhile.
#include "unit/support/faulty_disk.hpp"
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

class FullDisk : public World {
 protected:
  FullDisk() {
    options.life.verify.interval = std::chrono::hours(1);
    add("alpha");
    open();
    settle();
  }
  // The ledger goes before its disk.
  ~FullDisk() override {
    disk.let_go();
    close();
  }
  void fill() { disk.fail_at(1, SQLITE_FULL, test::FaultyDisk::Fails::writes_only); }
  void heal() {
    disk.heal();
    ASSERT_TRUE(until([&] { return opened->ledger->writable(); }));
  }
  [[nodiscard]] bool until_failed_again() {
    const auto failures = opened->ledger->writes().failures;
    return until([&] { return opened->ledger->writes().failures > failures + 1; });
  }

  test::FaultyDisk disk;
};

TEST_F(FullDisk, ADrawThatItsReleaseOvertookIsGivenBackOnceItCanBe) {
  plane->hold_looks = true;
  service->wanted(ChipIndex(0));
  ASSERT_TRUE(until([&] { return plane->looks == 1; }));
  settle();
  disk.hold_syncs();
  std::exchange(plane->unanswered[ChipIndex(0)], {}).front()({PlayedPlane::address(1)});
  ASSERT_TRUE(until([&] { return opened->ledger->writes().queued > 0; }));
  disk.wait_for_held_sync();  // of the take
  const auto release = begin(service->release(id("alpha"), std::nullopt));
  control->poll();
  fill();
  disk.let_go();
  // Long enough for the control thread to hear of the take, and for the ledger to fail to give it back.
  const auto tried = Clock::now() + 20 * options.life.draw.retry_min;
  ASSERT_TRUE(until([&] { return Clock::now() > tried; }));
  heal();
  ASSERT_TRUE(until([&] { return release->has_value() && chip().state == State::released; }));
  settle();
  const auto rows = history();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.front().row.state, ledger::AssignmentState::closed);
  EXPECT_EQ(rows.front().row.release_reason, "abandoned");
  plane->hold_looks = false;
  EXPECT_EQ(connected().state, State::active) << "or its row would stand in the way for ever";
}

TEST_F(FullDisk, AMoveIsRecordedBeforeTheNextDraw) {
  const auto first = *connected().assignment;
  settle();
  fill();
  plane->exits[first.session.value()] = PlayedPlane::address(9);
  (void)run(service->verify(id("alpha")));
  ASSERT_TRUE(until_failed_again());
  plane->pool = {PlayedPlane::address(9), PlayedPlane::address(4)};
  plane->next_exit = 0;
  heal();
  ASSERT_TRUE(until([&] { return chip().state == State::active && chip().assignment->id != first.id; }));
  EXPECT_EQ(chip().assignment->exits.v4, PlayedPlane::address(4)) << "targets have just seen the other one";
}

TEST_F(FullDisk, NobodyHearsOfAFenceThatIsNotDone) {
  const auto first = *connected().assignment;
  settle();
  plane->finish_fences = false;
  fill();
  plane->exits[first.session.value()] = PlayedPlane::address(9);
  (void)run(service->verify(id("alpha")));
  const auto release = begin(service->release(id("alpha"), std::nullopt));
  ASSERT_TRUE(until([&] { return !plane->fences.empty(); }));
  ASSERT_TRUE(until_failed_again());
  EXPECT_FALSE(release->has_value()) << "its tunnels may be open";
  plane->finish();
  ASSERT_TRUE(until([&] { return release->has_value(); }));
  heal();
  ASSERT_TRUE(until_state(State::released));
}

TEST_F(FullDisk, APortThatCannotBeHadIsNeverWritten) {
  (void)run(service->put({.id = id("beta"), .port = 20'100, .connect = ledger::ConnectMode::manual}));
  settle();
  plane->taken_ports = {20'109};
  fill();
  const auto put = run(service->put({.id = id("beta"), .port = 20'109, .connect = ledger::ConnectMode::manual}));
  ASSERT_TRUE(std::holds_alternative<Denied>(put));
  EXPECT_EQ(std::get<Denied>(put).why, Denial::port_taken) << "and not that it cannot be written";
  EXPECT_EQ(chip("beta").spec.port, 20'100);
}

}  // namespace
}  // namespace chipgate::lifecycle
