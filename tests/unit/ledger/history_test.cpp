// Who had which address when, and how long that is known.
#include "unit/ledger/fixture.hpp"
#include "unit/support/outside.hpp"

#include <algorithm>

namespace chipgate::ledger {
namespace {

using test::at;
using test::chip;
using test::ip;

class History : public test::LedgerTest {
 protected:
  // "alpha 192.0.2.1" and "(beta 192.0.2.2)" for possibly, newest first.
  std::vector<std::string> told(AssignmentFilter filter) {
    std::vector<std::string> lines;
    for (const auto& found : history(std::move(filter))) {
      auto line = found.row.chip.value() + " " + found.row.exits.v4->text();
      lines.push_back(found.certainty == Certainty::surely ? line : "(" + line + ")");
    }
    return lines;
  }
  void retain(Retention retention) { EXPECT_TRUE(wait(ledger().retain(retention)).has_value()); }
};

using Lines = std::vector<std::string>;

TEST_F(History, TellsWhoHadAnAddressAtATime) {
  close(id_of(take("alpha", {"192.0.2.1"}, 10)), 20);
  id_of(take("beta", {"192.0.2.1"}, 200));
  const auto had = [&](int seconds) { return told({.exit_ip = ip("192.0.2.1"), .at = at(seconds)}); };
  EXPECT_EQ(had(9), Lines{});
  EXPECT_EQ(had(10), Lines{"alpha 192.0.2.1"});
  EXPECT_EQ(had(19), Lines{"alpha 192.0.2.1"});
  EXPECT_EQ(had(20), Lines{}) << "the end is the first moment without";
  EXPECT_EQ(had(199), Lines{});
  EXPECT_EQ(had(1'000), Lines{"beta 192.0.2.1"}) << "until it ends";
}

TEST_F(History, TellsWhoPossiblyHadAnAddressThatWasOnlyObserved) {
  const auto id = id_of(take("alpha", {"192.0.2.1"}, 10));
  observe(id, "alpha", "192.0.2.9", 15, Observe::As::move);
  close(id, 20);
  EXPECT_EQ(told({.exit_ip = ip("192.0.2.9")}), Lines{"(alpha 192.0.2.1)"});
  EXPECT_EQ(told({.exit_ip = ip("192.0.2.1")}), Lines{"alpha 192.0.2.1"});
  EXPECT_EQ(told({.exit_ip = ip("192.0.2.9"), .at = at(25)}), Lines{});
  const auto found = history({.exit_ip = ip("192.0.2.9")});
  ASSERT_EQ(found.front().observations.size(), 1U);
  EXPECT_EQ(found.front().observations.front().address, ip("192.0.2.9"));
  EXPECT_EQ(found.front().observations.front().assignment, id);
  EXPECT_EQ(found.front().observations.front().at, at(15));
  EXPECT_EQ(found.front().observations.front().echo, "reply");
}

TEST_F(History, FindsAddressesOfBothFamiliesInAnySpelling) {
  id_of(take("alpha", {"192.0.2.1", "2001:db8::1"}, 0));
  EXPECT_EQ(told({.exit_ip = ip("2001:0DB8:0:0::1")}), Lines{"alpha 192.0.2.1"});
  EXPECT_EQ(told({.exit_ip = ip("::ffff:192.0.2.1")}), Lines{"alpha 192.0.2.1"});
  EXPECT_EQ(told({.exit_ip = ip("2001:db8::2")}), Lines{});
}

TEST_F(History, TellsEveryAddressOfAChipNewestFirst) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 1);
  id_of(take("beta", {"192.0.2.2"}, 2));
  id_of(take("alpha", {"192.0.2.3"}, 3));
  EXPECT_EQ(told({.chip = chip("alpha")}), (Lines{"alpha 192.0.2.3", "alpha 192.0.2.1"}));
}

TEST_F(History, TellsWhatOverlapsASpanOfTime) {
  close(id_of(take("alpha", {"192.0.2.1"}, 10)), 20);
  close(id_of(take("beta", {"192.0.2.2"}, 30)), 40);
  EXPECT_EQ(told({.from = at(20), .to = at(30)}), Lines{}) << "[from, to) and [assigned, released)";
  EXPECT_EQ(told({.from = at(19), .to = at(30)}), Lines{"alpha 192.0.2.1"});
  EXPECT_EQ(told({.from = at(20), .to = at(31)}), Lines{"beta 192.0.2.2"});
  EXPECT_EQ(told({.from = at(15)}).size(), 2U);
  EXPECT_EQ(told({.to = at(30)}), Lines{"alpha 192.0.2.1"});
}

TEST_F(History, IsReadInPages) {
  for (int i = 1; i <= 5; ++i) close(id_of(take("alpha", {"192.0.2." + std::to_string(i)}, i)), i);
  const auto first = history({.limit = 2});
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(told({.before = first.back().row.id.value(), .limit = 2}), (Lines{"alpha 192.0.2.3", "alpha 192.0.2.2"}));
  EXPECT_EQ(told({.before = 2}), Lines{"alpha 192.0.2.1"});
  EXPECT_EQ(told({.before = 1}), Lines{});
}

TEST_F(History, AnObservationOfARowThatIsGoneIsKeptWithoutIt) {
  observe(AssignmentId(77), "alpha", "192.0.2.9", 1, Observe::As::move);
  EXPECT_EQ(why(take("alpha", {"192.0.2.9"}, 2)), LeaseRefusal::own_last);
}

// --- events

TEST_F(History, EventsGrowInIdsThatAreNeverGivenTwice) {
  const auto append = [&](const std::string& of, int seconds) {
    EventRow event{.at = at(seconds), .type = "chip.active", .chip = chip(of), .body = R"({"a":1})"};
    return wait(ledger().append(std::move(event))).value();
  };
  EXPECT_EQ(append("alpha", 1).id, 1);
  EXPECT_EQ(append("beta", 2).id, 2);
  EXPECT_EQ(append("alpha", 1).at, at(2)) << "never earlier than the one before";
  const auto found = wait(ledger().events({.after = 1})).value();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found.front().id, 2);
  EXPECT_EQ(found.front().chip, chip("beta"));
  EXPECT_EQ(found.front().type, "chip.active");
  EXPECT_EQ(found.front().body, R"({"a":1})");
  EXPECT_EQ(wait(ledger().events({.chip = chip("alpha")})).value().size(), 2U);
  EXPECT_EQ(wait(ledger().events({.limit = 1})).value().size(), 1U);
  retain({.events_before = at(100)});
  EXPECT_TRUE(wait(ledger().events({})).value().empty());
  reopen();
  EXPECT_EQ(append("alpha", 101).id, 4);
}

TEST_F(History, AnEventMayBeOfNoChip) {
  EventRow event{.at = at(1), .type = "started"};
  ASSERT_TRUE(wait(ledger().append(event)).has_value());
  EXPECT_FALSE(wait(ledger().events({})).value().front().chip);
}

// --- traffic

TEST_F(History, TrafficAddsUpByChipAndDay) {
  const auto add = [&](std::vector<TrafficRow> rows) {
    EXPECT_TRUE(wait(ledger().add_traffic(std::move(rows))).has_value());
  };
  add({{chip("alpha"), "2026-01-31", {1, 2}, {3, 4}}, {chip("beta"), "2026-01-31", {10, 20}, {}}});
  add({{chip("alpha"), "2026-01-31", {100, 200}, {300, 400}}, {chip("alpha"), "2026-02-01", {5, 6}, {}}});
  reopen();
  const auto january = wait(ledger().traffic(chip("alpha"), "2026-01-01", "2026-01-31")).value();
  ASSERT_EQ(january.size(), 1U);
  EXPECT_EQ(january.front().clients.up, 101U);
  EXPECT_EQ(january.front().clients.down, 202U);
  EXPECT_EQ(january.front().own.up, 303U);
  EXPECT_EQ(january.front().own.down, 404U);
  EXPECT_EQ(wait(ledger().traffic(std::nullopt, "", "")).value().size(), 3U);
  retain({.traffic_before = WallTime(std::chrono::seconds(1'769'904'000))});  // 2026-02-01T00:00:00Z
  const auto rest = wait(ledger().traffic(std::nullopt, "", "")).value();
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest.front().day, "2026-02-01");
}

// --- retention

TEST_F(History, RetentionWithoutATimeRemovesNothing) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 1);
  close(id_of(take("alpha", {"192.0.2.2"}, 2)), 3);
  retain({});
  EXPECT_EQ(history().size(), 2U);
}

TEST_F(History, RetentionRemovesWhatEndedEarlierAndKeepsLiveAndLastRows) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 1);
  close(id_of(take("alpha", {"192.0.2.2"}, 2)), 3);
  close(id_of(take("beta", {"192.0.2.3"}, 4)), 5);
  close(id_of(take("beta", {"192.0.2.4"}, 6)), 7);
  id_of(take("beta", {"192.0.2.5"}, 8));
  retain({.assignments_before = at(6)});
  EXPECT_EQ(told({}), (Lines{"beta 192.0.2.5", "beta 192.0.2.4", "alpha 192.0.2.2"}));
  EXPECT_EQ(why(take("alpha", {"192.0.2.2"}, 1'000'000)), LeaseRefusal::own_last);
}

TEST_F(History, RetentionKeepsLiveRowsHoweverOldTheyAre) {
  const auto open = id_of(take("alpha", {"192.0.2.1"}, 0));
  id_of(take_pending("alpha", {"192.0.2.2"}, 1));
  const auto closing = id_of(take("beta", {"192.0.2.3"}, 2));
  EXPECT_TRUE(wait(ledger().closing(closing, at(3), "released")).has_value());
  retain({.assignments_before = at(1'000'000)});
  EXPECT_EQ(history().size(), 3U);
  EXPECT_EQ(why(take("gamma", {"192.0.2.1"}, 1'000'001)), LeaseRefusal::in_use);
  reopen();
  EXPECT_EQ(desk().restored.live.size(), 3U);
  EXPECT_EQ(desk().restored.live.front().id, open);
}

TEST_F(History, RetentionKeepsTheRealLastExitBehindAnUnusedRenewal) {
  const auto open = id_of(take("alpha", {"192.0.2.1"}, 0));
  const auto pending = id_of(take_pending("alpha", {"192.0.2.2"}, 1));
  close(open, 2);
  close(pending, 3);
  retain({.assignments_before = at(1'000)});
  EXPECT_EQ(history().size(), 2U);
  EXPECT_EQ(why(take("alpha", {"192.0.2.1"}, 1'001)), LeaseRefusal::own_last);
}

TEST_F(History, RetentionTouchesNoQuarantineAndNoIdentifier) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 90);
  close(id_of(take("alpha", {"192.0.2.2"}, 91)), 92);
  retain({.assignments_before = at(100), .events_before = at(100), .traffic_before = at(100)});
  EXPECT_EQ(why(take("beta", {"192.0.2.1"}, 100)), LeaseRefusal::quarantined) << "its row is gone";
  EXPECT_EQ(history().size(), 1U);
  Issue again{SessionIdentifier("chip-alpha-1"), WireSession("new"), chip("alpha"), at(101)};
  EXPECT_EQ(wait(ledger().issue(again)).value(), Issued::taken);
}

TEST_F(History, RetentionTakesOnlySoMuchAtATime) {
  constexpr int events = 10'005;
  for (int i = 0; i < events; ++i) desk().start(ledger().append({.at = at(i), .type = "chip.active"}));
  desk().run();
  retain({.events_before = at(events)});
  const auto left = wait(ledger().events({.limit = events})).value();
  ASSERT_EQ(left.size(), 5U) << "the youngest";
  EXPECT_EQ(left.back().at, at(events - 1));
  retain({.events_before = at(events)});
  EXPECT_TRUE(wait(ledger().events({})).value().empty());
}

TEST_F(History, RetentionForgetsQuarantinesThatAreOver) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 1);
  id_of(take("beta", {"192.0.2.2"}, 500));
  retain({});
  EXPECT_EQ(test::Outside(options.path).run("SELECT prefix FROM exit_leases"), Lines{"192.0.2.2/32"});
}

TEST_F(History, RetentionKeepsWhatAChipMovedToLast) {
  const auto moved = id_of(take("alpha", {"192.0.2.1"}, 0));
  observe(moved, "alpha", "192.0.2.8", 1);
  observe(moved, "alpha", "192.0.2.9", 2, Observe::As::move);
  close(moved, 3);
  const auto noted = id_of(take("alpha", {"192.0.2.2"}, 4));
  observe(noted, "alpha", "192.0.2.7", 5);
  close(noted, 6);
  close(id_of(take("alpha", {"192.0.2.3"}, 7)), 8);
  retain({.assignments_before = at(1'000)});
  EXPECT_EQ(told({}), (Lines{"alpha 192.0.2.3", "alpha 192.0.2.1"}));
  EXPECT_EQ(why(take("alpha", {"192.0.2.9"}, 2'000)), LeaseRefusal::own_last);
  EXPECT_EQ(test::Outside(options.path).one("SELECT COUNT(*) FROM observations"), "2") << "the noted one is gone";
}

}  // namespace
}  // namespace chipgate::ledger
