// Who may have which exit.
#include "unit/ledger/fixture.hpp"
#include "unit/support/outside.hpp"

namespace chipgate::ledger {
namespace {

using test::at;
using test::chip;
using test::ip;

class Leases : public test::LedgerTest {};

TEST_F(Leases, AnExitIsOneChipsAsLongAsItsAssignmentLives) {
  id_of(take("alpha", {"192.0.2.1"}, 0));
  const auto refused = std::get<Refused>(take("beta", {"192.0.2.1"}, 1));
  EXPECT_EQ(refused.why, LeaseRefusal::in_use);
  EXPECT_EQ(refused.address, ip("192.0.2.1"));
  EXPECT_EQ(refused.holder, "alpha");
  EXPECT_FALSE(refused.until);
}

TEST_F(Leases, APendingRowHoldsItsExitLikeAnOpenOne) {
  id_of(take_pending("alpha", {"192.0.2.1"}, 0));
  EXPECT_EQ(why(take("beta", {"192.0.2.1"}, 1)), LeaseRefusal::in_use);
}

TEST_F(Leases, AChipsOwnLiveExitIsInUseForItsRenewalToo) {
  id_of(take("alpha", {"192.0.2.1"}, 0));
  EXPECT_EQ(why(take_pending("alpha", {"192.0.2.1"}, 1)), LeaseRefusal::in_use);
}

TEST_F(Leases, AReleasedExitIsKeptFromOthersForTheQuarantine) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 10);
  const auto refused = std::get<Refused>(take("beta", {"192.0.2.1"}, 109));
  EXPECT_EQ(refused.why, LeaseRefusal::quarantined);
  EXPECT_EQ(refused.holder, "alpha");
  EXPECT_EQ(refused.until, at(110));
  id_of(take("beta", {"192.0.2.1"}, 110));
}

TEST_F(Leases, AnOverriddenQuarantineStopsNobodyButItsOwnLast) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 10);
  EXPECT_EQ(why(take(draw("alpha", {"192.0.2.1"}, 11), Quarantine::overridden)), LeaseRefusal::own_last);
  id_of(take(draw("beta", {"192.0.2.1"}, 12), Quarantine::overridden));
}

TEST_F(Leases, AnOverriddenQuarantineOverridesNoLiveAssignmentAndNoDenial) {
  id_of(take("alpha", {"192.0.2.1"}, 0));
  EXPECT_EQ(why(take(draw("beta", {"192.0.2.1"}, 1), Quarantine::overridden)), LeaseRefusal::in_use);
  ASSERT_TRUE(wait(ledger().deny({ip("192.0.2.2"), at(2), "banned", "alpha"})).has_value());
  EXPECT_EQ(why(take(draw("beta", {"192.0.2.2"}, 3), Quarantine::overridden)), LeaseRefusal::denied);
}

TEST_F(Leases, AReconnectDiffersFromTheLastExitHoweverLongAgo) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 10);
  EXPECT_EQ(why(take("alpha", {"192.0.2.1"}, 1'000'000)), LeaseRefusal::own_last);
  close(id_of(take("alpha", {"192.0.2.2"}, 1'000'001)), 1'000'002);
  id_of(take("alpha", {"192.0.2.1"}, 1'000'003));
}

TEST_F(Leases, AChipMayReturnToAnExitThatOnlyItsOwnQuarantineHolds) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 10);
  close(id_of(take("alpha", {"192.0.2.2"}, 11)), 12);
  id_of(take("alpha", {"192.0.2.1"}, 13));
}

TEST_F(Leases, AReconnectDiffersInBothFamilies) {
  close(id_of(take("alpha", {"192.0.2.1", "2001:db8::1"}, 0)), 10);
  const auto refused = std::get<Refused>(take("alpha", {"192.0.2.2", "2001:db8::2"}, 11));
  EXPECT_EQ(refused.why, LeaseRefusal::own_last) << "two addresses of one /64 are one exit";
  EXPECT_EQ(refused.address, ip("2001:db8::2"));
  id_of(take("alpha", {"192.0.2.2", "2001:db8:0:1::2"}, 12));
}

TEST_F(Leases, AnUnusedRenewalDoesNotMakeTheRealLastExitForgotten) {
  const auto open = id_of(take("alpha", {"192.0.2.1"}, 0));
  const auto pending = id_of(take_pending("alpha", {"192.0.2.2"}, 1));
  close(open, 2);
  close(pending, 3);
  EXPECT_EQ(why(take("alpha", {"192.0.2.1"}, 4)), LeaseRefusal::own_last);
  EXPECT_EQ(why(take("beta", {"192.0.2.2"}, 5)), LeaseRefusal::quarantined) << "looked through, so kept from others";
}

TEST_F(Leases, ADrawThatWasGivenBackDoesNotMakeItForgottenEither) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 1);
  close(id_of(take("alpha", {"192.0.2.2"}, 2)), 3, "abandoned");
  EXPECT_EQ(why(take("alpha", {"192.0.2.1"}, 4)), LeaseRefusal::own_last);
}

TEST_F(Leases, WhenOneFamilyIsRefusedNothingOfTheTakeRemains) {
  id_of(take("alpha", {"192.0.2.1", "2001:db8::1"}, 0));
  const auto row = draw("beta", {"192.0.2.2", "2001:db8::ffff"}, 1);
  const auto refused = std::get<Refused>(take(row));
  EXPECT_EQ(refused.why, LeaseRefusal::in_use);
  EXPECT_EQ(refused.address, ip("2001:db8::ffff"));
  EXPECT_EQ(history({.chip = chip("beta")}).size(), 0U);
  id_of(take("gamma", {"192.0.2.2"}, 2));
  // The refused session was issued and is spent, but no row holds it: taking it again with another exit is no error.
  auto again = row;
  again.exits = {};
  again.exits.set(ip("192.0.2.3"));
  id_of(take(again));
}

TEST_F(Leases, AMappedAddressIsTheSameExit) {
  id_of(take("alpha", {"192.0.2.1"}, 0));
  EXPECT_EQ(why(take("beta", {"::ffff:192.0.2.1"}, 1)), LeaseRefusal::in_use);
}

TEST_F(Leases, PrefixesCountAsTheOptionsSay) {
  options.prefix_v4 = 24;
  options.prefix_v6 = 56;
  id_of(take("alpha", {"192.0.2.1", "2001:db8:0:1ff::1"}, 0));
  EXPECT_EQ(why(take("beta", {"192.0.2.200"}, 1)), LeaseRefusal::in_use);
  EXPECT_EQ(why(take("beta", {"2001:db8:0:100::1"}, 2)), LeaseRefusal::in_use);
  id_of(take("beta", {"192.0.3.1", "2001:db8:0:200::1"}, 3));
}

TEST_F(Leases, ADeniedExitIsNobodysUntilItIsAllowed) {
  ASSERT_TRUE(wait(ledger().deny({ip("192.0.2.1"), at(0), "banned", "alpha"})).has_value());
  ASSERT_TRUE(wait(ledger().deny({ip("2001:db8::1"), at(0), "banned", "alpha"})).has_value());
  const auto refused = std::get<Refused>(take("beta", {"192.0.2.1"}, 1));
  EXPECT_EQ(refused.why, LeaseRefusal::denied);
  EXPECT_EQ(refused.holder, "alpha");
  EXPECT_EQ(why(take("beta", {"2001:db8::2"}, 2)), LeaseRefusal::denied) << "another address of the same line";
  EXPECT_EQ(wait(ledger().denied()).value().size(), 2U);
  EXPECT_TRUE(wait(ledger().allow(ip("192.0.2.1"))).value());
  EXPECT_FALSE(wait(ledger().allow(ip("192.0.2.1"))).value());
  id_of(take("beta", {"192.0.2.1"}, 3));
}

TEST_F(Leases, ADenialOutlivesAQuarantineAndComesBeforeItAsTheReason) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 1);
  ASSERT_TRUE(wait(ledger().deny({ip("192.0.2.1"), at(2), "banned", "alpha"})).has_value());
  EXPECT_EQ(why(take("beta", {"192.0.2.1"}, 3)), LeaseRefusal::denied);
  EXPECT_EQ(why(take("beta", {"192.0.2.1"}, 1'000)), LeaseRefusal::denied);
}

TEST_F(Leases, AnAddressThatAChipMovedToCountsAsItsLast) {
  const auto id = id_of(take("alpha", {"192.0.2.1"}, 0));
  observe(id, "alpha", "192.0.2.9", 5, Observe::As::move);
  EXPECT_EQ(why(take("beta", {"192.0.2.9"}, 6)), LeaseRefusal::quarantined);
  close(id, 7);
  EXPECT_EQ(why(take("alpha", {"192.0.2.9"}, 8)), LeaseRefusal::own_last);
  EXPECT_EQ(why(take("alpha", {"192.0.2.1"}, 9)), LeaseRefusal::own_last);
  close(id_of(take("alpha", {"192.0.2.2"}, 10)), 11);
  EXPECT_EQ(why(take("alpha", {"192.0.2.9"}, 1'000)), LeaseRefusal::own_last);
  id_of(take("beta", {"192.0.2.9"}, 1'001));
}

TEST_F(Leases, ANotedAddressIsOnlyWrittenDown) {
  const auto id = id_of(take("alpha", {"192.0.2.1"}, 0));
  observe(id, "alpha", "192.0.2.9", 5);
  id_of(take("beta", {"192.0.2.9"}, 6));
}

TEST_F(Leases, AMoveOntoALiveExitLeavesItToItsHolder) {
  const auto beta = id_of(take("beta", {"192.0.2.9"}, 0));
  const auto alpha = id_of(take("alpha", {"192.0.2.1"}, 1));
  observe(alpha, "alpha", "192.0.2.9", 5, Observe::As::move);
  EXPECT_EQ(std::get<Refused>(take("gamma", {"192.0.2.9"}, 6)).holder, "beta");
  close(beta, 7);
  EXPECT_EQ(std::get<Refused>(take("gamma", {"192.0.2.9"}, 8)).until, at(107));
}

TEST_F(Leases, AMoveNeverShortensAQuarantineAndKeepsTheAddressFromBothChips) {
  close(id_of(take("beta", {"192.0.2.9"}, 0)), 50);
  close(id_of(take("beta", {"192.0.2.8"}, 51)), 52);
  const auto alpha = id_of(take("alpha", {"192.0.2.1"}, 53));
  observe(alpha, "alpha", "192.0.2.9", 60, Observe::As::move);
  EXPECT_EQ(why(take("beta", {"192.0.2.9"}, 61)), LeaseRefusal::quarantined) << "alpha was there a second ago";
  EXPECT_EQ(std::get<Refused>(take("gamma", {"192.0.2.9"}, 159)).until, at(160));
}

TEST_F(Leases, PrefixesAreWrittenInOneForm) {
  id_of(take("alpha", {"192.0.2.1", "2001:db8::1"}, 0));
  test::Outside outside(options.path);
  EXPECT_EQ(outside.one("SELECT COUNT(*) FROM exit_leases"), "2");
  EXPECT_EQ(outside.one("SELECT prefix FROM exit_leases WHERE family = 6"), "2001:db8::/64");
  EXPECT_EQ(outside.one("SELECT prefix FROM exit_leases WHERE family = 4"), "192.0.2.1/32");
}

TEST_F(Leases, AClockThatJumpsBackShortensNoQuarantine) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 1'000);
  EXPECT_EQ(std::get<Refused>(take("beta", {"192.0.2.1"}, 10)).until, at(1'100));
  EXPECT_EQ(why(take("beta", {"192.0.2.1"}, 1'099)), LeaseRefusal::quarantined);
  id_of(take("beta", {"192.0.2.1"}, 1'100));
}

// --- a clock that jumps forward, with a quarantine of 100 s

class ClockJumps : public Leases {
 protected:
  void postpone(std::chrono::seconds by, WallTime ended_before) {
    EXPECT_TRUE(wait(ledger().postpone_quarantines(by, ended_before)).has_value());
  }
};

TEST_F(ClockJumps, ShortenNoQuarantineThatIsPostponed) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 10);
  // After 40 s of them the clock says an hour more.
  postpone(std::chrono::hours(1), at(50));
  EXPECT_EQ(why(take("beta", {"192.0.2.1"}, 3'600 + 109)), LeaseRefusal::quarantined);
  id_of(take("beta", {"192.0.2.1"}, 3'600 + 111));
}

TEST_F(ClockJumps, ReviveNoQuarantineThatWasOver) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 10);
  postpone(std::chrono::hours(1), at(111));
  id_of(take("beta", {"192.0.2.1"}, 3'600 + 112));
}

TEST_F(ClockJumps, LeaveLeasesThatAreHeldAsTheyAre) {
  const auto open = id_of(take("alpha", {"192.0.2.1"}, 0));
  postpone(std::chrono::hours(1), at(10));
  EXPECT_EQ(why(take("beta", {"192.0.2.1"}, 3'620)), LeaseRefusal::in_use);
  close(open, 3'630);
  EXPECT_EQ(why(take("beta", {"192.0.2.1"}, 3'729)), LeaseRefusal::quarantined);
  id_of(take("beta", {"192.0.2.1"}, 3'731));
}

TEST_F(ClockJumps, ArePostponedTogetherAndOutliveARestart) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 10);
  close(id_of(take("beta", {"192.0.2.2"}, 20)), 30);
  postpone(std::chrono::hours(1), at(40));
  reopen();
  EXPECT_EQ(desk().restored.quarantined, 2U);
  EXPECT_EQ(why(take("gamma", {"192.0.2.1"}, 3'600 + 100)), LeaseRefusal::quarantined);
  EXPECT_EQ(why(take("gamma", {"192.0.2.2"}, 3'600 + 129)), LeaseRefusal::quarantined);
  id_of(take("gamma", {"192.0.2.2"}, 3'600 + 131));
}

}  // namespace
}  // namespace chipgate::ledger
