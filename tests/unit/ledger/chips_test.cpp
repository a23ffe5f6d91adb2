// Chips and the identifiers of their sessions.
#include "unit/ledger/fixture.hpp"
#include "unit/support/outside.hpp"

namespace chipgate::ledger {
namespace {

using test::at;
using test::chip;
using test::ip;

class Chips : public test::LedgerTest {
 protected:
  PutChipAnswer put(const std::string& id, std::string alias, std::uint16_t port,
                    ConnectMode connect = ConnectMode::on_demand) {
    ChipRow row{.id = chip(id), .alias = std::move(alias), .port = port, .connect = connect, .created_at = at(0)};
    return wait(ledger().put_chip(std::move(row))).value();
  }
  void remove(const std::string& id) { EXPECT_TRUE(wait(ledger().delete_chip(chip(id), at(9))).has_value()); }
  Issued issue(const std::string& session, const std::string& wire) {
    Issue issue{SessionIdentifier(session), WireSession(wire), chip("alpha"), at(1)};
    return wait(ledger().issue(std::move(issue))).value();
  }
};

TEST_F(Chips, AreKeptAsTheyWerePut) {
  EXPECT_EQ(put("alpha", "sales", 20001, ConnectMode::manual).verdict, PutChip::created);
  reopen();
  ASSERT_EQ(desk().restored.chips.size(), 1U);
  const auto& row = desk().restored.chips.front();
  EXPECT_EQ(row.id, chip("alpha"));
  EXPECT_EQ(row.alias, "sales");
  EXPECT_EQ(row.port, 20001);
  EXPECT_EQ(row.connect, ConnectMode::manual);
  EXPECT_EQ(row.arming, Arming::armed);
  EXPECT_EQ(row.created_at, at(0));
  EXPECT_FALSE(row.deleted_at);
}

TEST_F(Chips, KeepWhereTheyComeFromAndTheirQuota) {
  ChipRow row{
      .id = chip("alpha"), .port = 20001, .origin = ChipOrigin::api, .quota = {500, 9'000}, .created_at = at(0)};
  EXPECT_EQ(wait(ledger().put_chip(row)).value().verdict, PutChip::created);
  row.quota.day = 600;
  EXPECT_EQ(wait(ledger().put_chip(row)).value().verdict, PutChip::changed);
  EXPECT_EQ(wait(ledger().put_chip(row)).value().verdict, PutChip::unchanged);
  reopen();
  EXPECT_EQ(desk().restored.chips.front().origin, ChipOrigin::api);
  EXPECT_EQ(desk().restored.chips.front().quota, (Quota{600, 9'000}));
}

TEST_F(Chips, PutTwiceAreUnchangedAndOtherwiseChanged) {
  put("alpha", "sales", 20001);
  EXPECT_EQ(put("alpha", "sales", 20001).verdict, PutChip::unchanged);
  EXPECT_EQ(put("alpha", "support", 20002, ConnectMode::on_start).verdict, PutChip::changed);
  reopen();
  EXPECT_EQ(desk().restored.chips.front().alias, "support");
  EXPECT_EQ(desk().restored.chips.front().port, 20002);
  EXPECT_EQ(desk().restored.chips.front().connect, ConnectMode::on_start);
}

TEST_F(Chips, ShareNeitherPortNorAlias) {
  put("alpha", "sales", 20001);
  put("beta", "support", 20002);
  auto answer = put("gamma", "other", 20001);
  EXPECT_EQ(answer.verdict, PutChip::port_taken);
  EXPECT_EQ(answer.holder, "alpha");
  answer = put("gamma", "support", 20003);
  EXPECT_EQ(answer.verdict, PutChip::alias_taken);
  EXPECT_EQ(answer.holder, "beta");
  answer = put("beta", "support", 20001);
  EXPECT_EQ(answer.verdict, PutChip::port_taken);
  EXPECT_EQ(answer.holder, "alpha");
  EXPECT_EQ(put("beta", "sales", 20002).verdict, PutChip::alias_taken);
  reopen();
  ASSERT_EQ(desk().restored.chips.size(), 2U);
  EXPECT_EQ(desk().restored.chips.back().port, 20002) << "a refused change changes nothing";
}

TEST_F(Chips, WithoutPortOrAliasDoNotStandInEachOthersWay) {
  EXPECT_EQ(put("alpha", "", 0).verdict, PutChip::created);
  EXPECT_EQ(put("beta", "", 0).verdict, PutChip::created);
}

TEST_F(Chips, LeaveTheirPortAndAliasAndIdToOthersWhenTheyAreDeleted) {
  put("alpha", "sales", 20001);
  remove("alpha");
  EXPECT_EQ(put("beta", "sales", 20001).verdict, PutChip::created);
  EXPECT_EQ(put("alpha", "", 20002).verdict, PutChip::created);
  reopen();
  EXPECT_EQ(desk().restored.chips.size(), 2U);
  EXPECT_EQ(test::Outside(options.path).one("SELECT COUNT(*) FROM chips WHERE deleted_at IS NOT NULL"), "1");
}

TEST_F(Chips, DifferFromTheirLastExitEvenAfterTheyWereDeletedAndMadeAgain) {
  put("alpha", "", 0);
  close(id_of(take("alpha", {"192.0.2.1"}, 1)), 2);
  remove("alpha");
  EXPECT_EQ(history({.chip = chip("alpha")}).size(), 1U) << "history stays";
  put("alpha", "", 0);
  EXPECT_EQ(why(take("alpha", {"192.0.2.1"}, 10)), LeaseRefusal::own_last);
}

TEST_F(Chips, AreArmedAndDisarmedByThemselvesAndByWhatIsPut) {
  put("alpha", "", 1);
  ASSERT_TRUE(wait(ledger().put_chip({.id = chip("alpha"), .port = 1, .arming = Arming::disarmed})).has_value());
  reopen();
  EXPECT_EQ(desk().restored.chips.front().arming, Arming::disarmed);
  EXPECT_TRUE(wait(ledger().arm(chip("alpha"), Arming::armed)).value());
  EXPECT_FALSE(wait(ledger().arm(chip("nobody"), Arming::armed)).value());
  reopen();
  EXPECT_EQ(desk().restored.chips.front().arming, Arming::armed);
}

TEST_F(Chips, NeverGetASessionThatWasIssuedBefore) {
  EXPECT_EQ(issue("chip-alpha-1", "w1"), Issued::fresh);
  EXPECT_EQ(issue("chip-alpha-1", "w2"), Issued::taken) << "the identifier";
  EXPECT_EQ(issue("chip-alpha-2", "w1"), Issued::taken) << "the wire session";
  EXPECT_EQ(issue("chip-alpha-2", "w2"), Issued::fresh) << "a refused one leaves nothing behind";
  reopen();
  EXPECT_EQ(issue("chip-alpha-1", "w3"), Issued::taken);
}

TEST_F(Chips, SettledSessionsKeepTheirOutcomeAndWhatWasSeen) {
  issue("chip-alpha-1", "w1");
  ASSERT_TRUE(wait(ledger().settle(SessionIdentifier("chip-alpha-1"), IdentifierOutcome::refused, ip("192.0.2.1")))
                  .has_value());
  test::Outside outside(options.path);
  EXPECT_EQ(outside.run("SELECT outcome, observed FROM identifiers"),
            (std::vector<std::string>{"refused", "192.0.2.1"}));
}

TEST_F(Chips, ATakenSessionIsWrittenDownAsOpened) {
  take("alpha", {"192.0.2.1"}, 0);
  test::Outside outside(options.path);
  EXPECT_EQ(outside.run("SELECT outcome, observed FROM identifiers"),
            (std::vector<std::string>{"opened", "192.0.2.1"}));
}

}  // namespace
}  // namespace chipgate::ledger
