// Assignments whose lifetime ends.
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

class Renewal : public World {
 protected:
  Renewal() {
    provider::ProviderOptions made;
    made.preset = "custom";
    made.username = "user";
    made.password = Secret("pass");
    made.username_template = "{username}-lifetime-{lifetime_minutes}-session-{session}";
    made.lifetime = std::chrono::minutes(1);
    provider = provider::Provider::make(made).value();
    add("alpha");
    open();
    first = *connected().assignment;
    // The last fifth of the minute has begun.
    older = std::chrono::seconds(50);
  }
  // Its successor waits for a quiet moment.
  void draw_for_a_busy_chip() {
    close();
    open();
    plane->exits[first.session.value()] = *first.exits.v4;
    plane->next_exit = 1;
    port().usage.tunnels_open = 1;
    port().usage.last_used = Clock::now() + std::chrono::hours(1);
    ASSERT_TRUE(until([&] { return chip().pending.has_value(); }));
  }
  void be_quiet() { port().usage.last_used = Clock::now() - std::chrono::seconds(6); }
  AssignmentView first;
};

TEST_F(Renewal, TheSuccessorTakesOverWithAFenceAndInOneTransaction) {
  reopen();
  ASSERT_TRUE(until([&] { return told("chip.renewed") == 1; }));
  const auto second = *chip().assignment;
  EXPECT_NE(second.id, first.id);
  EXPECT_NE(second.exits, first.exits);
  EXPECT_EQ(chip().state, State::active);
  EXPECT_EQ(port().told, ErrorKind::renewed);
  ASSERT_TRUE(port().route);
  EXPECT_EQ(port().route->session, second.session);
  EXPECT_EQ(port().route->epoch, port().epoch);
  const auto rows = history();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].row.state, ledger::AssignmentState::open);
  EXPECT_EQ(rows[1].row.release_reason, "renewed");
  EXPECT_LE(*rows[1].row.released_at, rows[0].row.released_at.value_or(WallTime::max()));
}

TEST_F(Renewal, WaitsForAQuietMoment) {
  draw_for_a_busy_chip();
  EXPECT_EQ(chip().state, State::renewing);
  EXPECT_EQ(chip().assignment->id, first.id);
  settle();
  EXPECT_FALSE(port().told);
  be_quiet();
  ASSERT_TRUE(until([&] { return told("chip.renewed") == 1; }));
}

TEST_F(Renewal, AReleaseMeanwhileClosesBothRows) {
  draw_for_a_busy_chip();
  (void)run(service->release(id("alpha"), std::nullopt));
  EXPECT_EQ(chip().state, State::released);
  for (const auto& row : history()) EXPECT_EQ(row.row.state, ledger::AssignmentState::closed);
  EXPECT_EQ(history().size(), 2U);
}

TEST_F(Renewal, ThatFindsNothingKeepsWhatThereIs) {
  close();
  open();
  plane->exits[first.session.value()] = *first.exits.v4;
  plane->pool = {*first.exits.v4};
  ASSERT_TRUE(until([&] { return chip().trouble && chip().trouble->kind == ErrorKind::no_free_exit; }));
  EXPECT_EQ(chip().assignment->id, first.id);
  EXPECT_TRUE(port().route);
  plane->pool = {PlayedPlane::address(6)};
  EXPECT_TRUE(until([&] { return told("chip.renewed") == 1; }));
}

TEST_F(Renewal, AsksARefusedAccountWhenTheBreakerSaysSo) {
  reopen();
  ASSERT_TRUE(until_state(State::active));
  plane->failure = Error{ErrorKind::provider_auth};
  const auto waits = [&](std::chrono::seconds time) {
    const auto retry = service->gateway().retry_at;
    return retry && *retry - std::chrono::system_clock::now() > time;
  };
  // By then a renewal alone would have asked twice more.
  ASSERT_TRUE(until([&] { return waits(std::chrono::seconds(3)); }));
  const auto drawn = plane->looks_of.size();
  ASSERT_TRUE(until([&] { return !waits(std::chrono::seconds(1)); }));
  EXPECT_EQ(plane->looks_of.size(), drawn);
  EXPECT_EQ(chip().assignment->id, first.id);
}

TEST_F(Renewal, IsLookedAtOnceMoreRightBeforeItTakesOver) {
  draw_for_a_busy_chip();
  const auto unused = *chip().pending;
  plane->exits[unused.session.value()] = PlayedPlane::address(9);
  be_quiet();
  ASSERT_TRUE(until([&] { return told("chip.renewed") == 1; }));
  EXPECT_NE(chip().assignment->session, unused.session) << "nobody has leased the exit that it has by now";
  const auto rows = history();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].row.session, unused.session);
  EXPECT_EQ(rows[1].row.release_reason, "abandoned");
}

TEST_F(Renewal, IsCalledOffByADoubtAndBegunAnew) {
  draw_for_a_busy_chip();
  const auto doubted = *chip().pending;
  set_forward = std::chrono::hours(1);
  ASSERT_TRUE(until_state(State::resuming)) << "what the clock's jump was, nobody knows";
  EXPECT_FALSE(port().route);
  ASSERT_TRUE(until([&] { return chip().pending && chip().pending->id != doubted.id; }));
  EXPECT_TRUE(port().route) << "the old exit was seen again";
  be_quiet();
  ASSERT_TRUE(until([&] { return told("chip.renewed") == 1; }));
  EXPECT_NE(chip().assignment->id, doubted.id);
}

TEST_F(Renewal, LivesFromItsDrawAndNotFromItsTurn) {
  draw_for_a_busy_chip();
  const auto waited = Clock::now() + std::chrono::milliseconds(1'500);
  ASSERT_TRUE(until([&] { return Clock::now() > waited; }));
  be_quiet();
  ASSERT_TRUE(until([&] { return told("chip.renewed") == 1; }));
  const auto in_ledger = history().front().row.assigned_at;
  EXPECT_LT(chip().assignment->assigned_at - in_ledger, std::chrono::seconds(1));
}

TEST_F(Renewal, LeavesTheRowsToAReleaseThatComesDuringItsFence) {
  draw_for_a_busy_chip();
  plane->finish_fences = false;
  be_quiet();
  ASSERT_TRUE(until([&] { return !plane->fences.empty(); }));
  const auto release = begin(service->release(id("alpha"), std::nullopt));
  settle();
  plane->finish_fences = true;
  plane->finish();
  ASSERT_TRUE(until([&] { return release->has_value(); }));
  const auto rows = history();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].row.release_reason, "abandoned");
  EXPECT_EQ(rows[1].row.release_reason, "released");
  plane->pool = {*first.exits.v4, PlayedPlane::address(6)};
  plane->next_exit = 0;
  EXPECT_EQ(connected().assignment->exits.v4, PlayedPlane::address(6)) << "the last exit that clients left by";
}

}  // namespace
}  // namespace chipgate::lifecycle
