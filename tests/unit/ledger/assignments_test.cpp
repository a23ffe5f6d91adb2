// An assignment from its take to its end, and what a restart finds of it.
#include "unit/ledger/fixture.hpp"
#include "unit/support/outside.hpp"

namespace chipgate::ledger {
namespace {

using test::at;
using test::chip;
using test::ip;
using namespace std::chrono_literals;

class Life : public test::LedgerTest {
 protected:
  AssignmentRow row(AssignmentId id) {
    for (const auto& found : history()) {
      if (found.row.id == id) return found.row;
    }
    ADD_FAILURE() << "no such row";
    return {.chip = chip("none")};
  }
  std::string take_error(const AssignmentRow& wanted) {
    Take take{wanted};
    const auto answer = wait(ledger().take(std::move(take)));
    return answer.has_error() ? answer.error().detail : "";
  }
};

TEST_F(Life, ARestartFindsTheAssignmentAsItWasTaken) {
  const auto wanted = draw("alpha", {"192.0.2.1", "2001:db8::1"}, 5);
  const auto id = id_of(take(wanted));
  reopen();
  ASSERT_EQ(desk().restored.live.size(), 1U);
  const auto& found = desk().restored.live.front();
  EXPECT_EQ(found.id, id);
  EXPECT_EQ(found.chip, wanted.chip);
  EXPECT_EQ(found.session, wanted.session);
  EXPECT_EQ(found.wire, wanted.wire);
  EXPECT_EQ(found.provider, wanted.provider);
  EXPECT_EQ(found.endpoint, wanted.endpoint);
  EXPECT_EQ(found.credentials_digest, wanted.credentials_digest);
  EXPECT_EQ(found.instance, wanted.instance);
  EXPECT_EQ(found.state, AssignmentState::open);
  EXPECT_EQ(found.exits, wanted.exits);
  EXPECT_EQ(found.assigned_at, at(5));
  EXPECT_EQ(found.verified_at, at(5));
  EXPECT_FALSE(found.closing_at);
  EXPECT_FALSE(found.released_at);
  EXPECT_EQ(desk().restored.assignments, 1U);
}

TEST_F(Life, AnIntendedReleaseIsFoundByTheNextStart) {
  const auto id = id_of(take("alpha", {"192.0.2.1"}, 0));
  ASSERT_TRUE(wait(ledger().closing(id, at(3), "release")).has_value());
  ASSERT_TRUE(wait(ledger().closing(id, at(4), "moved")).has_value());
  reopen();
  ASSERT_EQ(desk().restored.live.size(), 1U);
  EXPECT_EQ(desk().restored.live.front().closing_at, at(3)) << "once";
  EXPECT_EQ(desk().restored.live.front().release_reason, "release");
  close(id, 5, "");
  EXPECT_EQ(row(id).release_reason, "release") << "finishing it needs no reason of its own";
}

TEST_F(Life, AClosedAssignmentSaysHowItEnded) {
  const auto id = id_of(take("alpha", {"192.0.2.1"}, 0));
  Close end{.assignment = id, .at = at(7), .reason = "moved", .exposure = 1'234ms, .traffic = {10, 20}};
  ASSERT_TRUE(wait(ledger().close(end)).has_value());
  const auto found = row(id);
  EXPECT_EQ(found.state, AssignmentState::closed);
  EXPECT_EQ(found.released_at, at(7));
  EXPECT_EQ(found.release_reason, "moved");
  EXPECT_EQ(found.exposure, 1'234ms);
  EXPECT_EQ(found.traffic.up, 10U);
  EXPECT_EQ(found.traffic.down, 20U);
  reopen();
  EXPECT_TRUE(desk().restored.live.empty());
  EXPECT_EQ(desk().restored.assignments, 1U);
}

TEST_F(Life, ClosingWhatIsClosedChangesNothing) {
  const auto id = id_of(take("alpha", {"192.0.2.1"}, 0));
  close(id, 7, "release");
  close(id, 9, "again");
  EXPECT_EQ(row(id).released_at, at(7));
  EXPECT_EQ(row(id).release_reason, "release");
  EXPECT_EQ(std::get<Refused>(take("beta", {"192.0.2.1"}, 10)).until, at(107)) << "nor its quarantine";
}

TEST_F(Life, ALateCloseDoesNotTakeTheExitFromItsNextHolder) {
  const auto id = id_of(take("alpha", {"192.0.2.1"}, 0));
  close(id, 1);
  id_of(take("beta", {"192.0.2.1"}, 200));
  close(id, 201);
  EXPECT_EQ(why(take("gamma", {"192.0.2.1"}, 202)), LeaseRefusal::in_use);
}

TEST_F(Life, ASwapClosesTheOldRowAndOpensThePendingOne) {
  const auto old = id_of(take("alpha", {"192.0.2.1"}, 0));
  const auto next = id_of(take_pending("alpha", {"192.0.2.2"}, 5));
  Swap swap{{.assignment = old, .at = at(9), .reason = "lifetime"}, next};
  ASSERT_TRUE(wait(ledger().swap(swap)).has_value());
  EXPECT_EQ(row(old).state, AssignmentState::closed);
  EXPECT_EQ(row(old).released_at, at(9));
  EXPECT_EQ(row(next).state, AssignmentState::open);
  EXPECT_EQ(why(take("beta", {"192.0.2.1"}, 10)), LeaseRefusal::quarantined);
  EXPECT_EQ(why(take("beta", {"192.0.2.2"}, 11)), LeaseRefusal::in_use);
}

TEST_F(Life, ASwapWithARowThatIsNotPendingChangesNothing) {
  const auto old = id_of(take("alpha", {"192.0.2.1"}, 0));
  const auto gone = id_of(take_pending("alpha", {"192.0.2.2"}, 5));
  close(gone, 6);
  Swap swap{{.assignment = old, .at = at(9), .reason = "lifetime"}, gone};
  const auto answer = wait(ledger().swap(swap));
  ASSERT_TRUE(answer.has_error());
  EXPECT_NE(answer.error().detail.find("not pending"), std::string::npos);
  EXPECT_EQ(row(old).state, AssignmentState::open);
  EXPECT_TRUE(ledger().writable()) << "the ledger is well";
}

TEST_F(Life, ASwapBesideAnotherOpenRowChangesNothing) {
  const auto closed = id_of(take("alpha", {"192.0.2.1"}, 0));
  close(closed, 1);
  const auto open = id_of(take("alpha", {"192.0.2.2"}, 2));
  const auto next = id_of(take_pending("alpha", {"192.0.2.3"}, 3));
  Swap swap{{.assignment = closed, .at = at(9), .reason = "lifetime"}, next};
  EXPECT_TRUE(wait(ledger().swap(swap)).has_error());
  EXPECT_EQ(row(open).state, AssignmentState::open);
  EXPECT_EQ(row(next).state, AssignmentState::pending);
}

TEST_F(Life, AChipHasOneOpenAndOnePendingRowAtMost) {
  id_of(take("alpha", {"192.0.2.1"}, 0));
  EXPECT_NE(take_error(draw("alpha", {"192.0.2.2"}, 1)).find("alpha has assignment 1"), std::string::npos);
  id_of(take_pending("alpha", {"192.0.2.3"}, 2));
  auto second = draw("alpha", {"192.0.2.4"}, 3);
  second.state = AssignmentState::pending;
  EXPECT_NE(take_error(second).find("pending"), std::string::npos);
  EXPECT_EQ(test::Outside(options.path).one("SELECT COUNT(*) FROM exit_leases"), "2") << "no lease is left behind";
}

TEST_F(Life, ASessionThatWasNotIssuedToTheChipIsNotTaken) {
  auto wanted = draw("alpha", {"192.0.2.1"}, 0);
  auto other = wanted;
  other.session = SessionIdentifier("chip-alpha-99");
  EXPECT_NE(take_error(other).find("not issued"), std::string::npos);
  other = wanted;
  other.wire = WireSession("guessed");
  EXPECT_NE(take_error(other).find("not issued"), std::string::npos);
  other = wanted;
  other.chip = chip("beta");
  EXPECT_NE(take_error(other).find("not issued"), std::string::npos);
  id_of(take(wanted));
}

TEST_F(Life, ASessionIsNeverAssignedTwice) {
  const auto wanted = draw("alpha", {"192.0.2.1"}, 0);
  close(id_of(take(wanted)), 1);
  auto again = wanted;
  again.exits = {};
  again.exits.set(ip("192.0.2.2"));
  EXPECT_NE(take_error(again).find("already"), std::string::npos);
}

TEST_F(Life, LooksMoveTheTimeOfVerification) {
  const auto id = id_of(take("alpha", {"192.0.2.1"}, 0));
  ASSERT_TRUE(wait(ledger().verified(id, at(60))).has_value());
  EXPECT_EQ(row(id).verified_at, at(60));
  close(id, 61);
  ASSERT_TRUE(wait(ledger().verified(id, at(62))).has_value());
  EXPECT_EQ(row(id).verified_at, at(60)) << "not of a closed one";
}

TEST_F(Life, AnAssignmentWhoseExitNobodyLookedAtWasNeverVerified) {
  auto wanted = draw("alpha", {}, 5);
  wanted.verified_at = {};
  EXPECT_EQ(row(id_of(take(wanted))).verified_at, WallTime{});
}

TEST_F(Life, TimesNeverRunBackwardsNotEvenAcrossARestart) {
  const auto id = id_of(take("alpha", {"192.0.2.1"}, 100));
  ASSERT_TRUE(wait(ledger().verified(id, at(50))).has_value());
  EXPECT_EQ(row(id).verified_at, at(100));
  reopen();
  EXPECT_EQ(desk().restored.last_written, at(100));
  close(id, 20);
  EXPECT_EQ(row(id).released_at, at(100));
}

TEST_F(Life, AStartKnowsTheDrawsOfTheLastHourByChip) {
  id_of(take("beta", {"192.0.2.3"}, 0));
  close(id_of(take("alpha", {"192.0.2.1"}, 4'000)), 4'001);
  id_of(take("alpha", {"192.0.2.2"}, 4'002));
  reopen();
  const auto& draws = desk().restored.recent_draws;
  ASSERT_EQ(draws.size(), 1U);
  EXPECT_EQ(draws.at(chip("alpha")), (std::vector{at(4'000), at(4'002)}));
}

TEST_F(Life, AStartCountsWhatIsInQuarantine) {
  close(id_of(take("alpha", {"192.0.2.1", "2001:db8::1"}, 0)), 1);
  close(id_of(take("beta", {"192.0.2.2"}, 2)), 3);
  reopen();
  EXPECT_EQ(desk().restored.quarantined, 3U);
  id_of(take("gamma", {"192.0.2.9"}, 102));
  reopen();
  EXPECT_EQ(desk().restored.quarantined, 1U) << "alpha's are over";
}

}  // namespace
}  // namespace chipgate::ledger
