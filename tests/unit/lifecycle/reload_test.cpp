// A configuration that is read again while chips live.
#include "unit/support/outside.hpp"
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

class Reload : public World {
 protected:
  static ChipSpec spec(std::string_view name, std::uint16_t port,
                       ledger::ConnectMode mode = ledger::ConnectMode::on_demand) {
    return {.id = id(name), .port = port, .connect = mode};
  }
  Reconfigure steps() const { return {.life = options.life, .ports = options.ports}; }
  Reconfigured taken_on(Reconfigure wanted) {
    return std::get<Reconfigured>(run(service->reconfigure(std::move(wanted))));
  }
  Denied refused(Reconfigure wanted) { return std::get<Denied>(run(service->reconfigure(std::move(wanted)))); }
  // Counting is what a stop does at its end; nothing new is drawn afterwards.
  void carry_and_count(std::uint64_t bytes) {
    port().usage.bytes_up = bytes;
    count_traffic();
  }
  std::size_t bound() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(plane->ports, [](const auto& entry) { return entry.second.bound; }));
  }
};

TEST_F(Reload, WhatIsRemovedIsFencedBeforeItsPortIsBoundAgain) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  plane->calls.clear();
  auto wanted = steps();
  wanted.removed = {id("alpha")};
  wanted.added = {spec("beta", 20'001)};
  EXPECT_TRUE(taken_on(wanted).unfinished.empty());
  EXPECT_EQ(plane->calls, (std::vector<std::string>{"fence", "close"}));
  EXPECT_FALSE(service->chip(id("alpha")));
  EXPECT_EQ(chip("beta").spec.port, 20'001);
  const auto row = history({.chip = id("alpha")}).front().row;
  EXPECT_EQ(row.id, first.id);
  EXPECT_EQ(row.release_reason, "chip_removed");
  (void)connected("beta");
}

TEST_F(Reload, AChipThatIsNotNamedNoticesNothing) {
  add("alpha");
  add("beta");
  open();
  const auto first = *connected("alpha").assignment;
  (void)connected("beta");
  plane->calls.clear();
  auto wanted = steps();
  wanted.removed = {id("beta")};
  wanted.added = {spec("gamma", 20'009, ledger::ConnectMode::on_start)};
  (void)taken_on(wanted);
  ASSERT_TRUE(until_state(State::active, "gamma"));
  EXPECT_EQ(chip("alpha").assignment->id, first.id);
  EXPECT_EQ(port(0).epoch, Epoch(1));
  EXPECT_EQ(port(0).route->session, first.session);
  EXPECT_EQ(std::ranges::count(plane->calls, "fence"), 1);
}

TEST_F(Reload, APortThatCannotBeBoundChangesNothing) {
  add("alpha");
  open();
  (void)connected();
  plane->taken_ports = {20'008};
  auto wanted = steps();
  wanted.removed = {id("alpha")};
  wanted.added = {spec("beta", 20'007), spec("gamma", 20'008)};
  wanted.life.keep.unused = Milliseconds(1);
  const auto denied = refused(wanted);
  EXPECT_EQ(denied.why, Denial::port_taken);
  EXPECT_EQ(denied.field, "chips[gamma].port");
  EXPECT_NE(denied.message.find("20008"), std::string::npos) << denied.message;
  EXPECT_EQ(chip("alpha").state, State::active);
  EXPECT_FALSE(service->chip(id("beta")));
  EXPECT_EQ(bound(), 1U);
  plane->taken_ports.clear();
  EXPECT_TRUE(taken_on(wanted).unfinished.empty());
}

TEST_F(Reload, APortThatIsLostWhileItsChipLeavesIsToldAndTheRestIsDone) {
  add("alpha");
  open();
  plane->taken_ports = {20'001};  // by somebody who was quicker
  auto wanted = steps();
  wanted.removed = {id("alpha")};
  wanted.added = {spec("beta", 20'001), spec("gamma", 20'002)};
  const auto told = taken_on(wanted);
  ASSERT_EQ(told.unfinished.size(), 1U);
  EXPECT_EQ(told.unfinished.front().chip, id("beta"));
  EXPECT_FALSE(service->chip(id("beta")));
  EXPECT_TRUE(service->chip(id("gamma")));
}

TEST_F(Reload, TheFileMayNotTakeWhatIsTheApis) {
  add("alpha");
  open();
  ASSERT_TRUE(
      std::holds_alternative<PutAnswer>(run(service->put({.id = id("made"), .alias = "Made", .port = 20'009}))));
  auto wanted = steps();
  wanted.added = {spec("beta", 20'009)};
  EXPECT_EQ(refused(wanted).why, Denial::port_taken);
  wanted.added = {{.id = id("beta"), .alias = "Made", .port = 20'002}};
  EXPECT_EQ(refused(wanted).field, "chips[beta].alias");
  wanted.added = {spec("made", 20'003)};
  EXPECT_EQ(refused(wanted).field, "chips[made].port");
  wanted.added = {};
  wanted.changed = {{.id = id("alpha"), .alias = "Made", .port = 20'001}};
  EXPECT_EQ(refused(wanted).why, Denial::alias_taken);
  EXPECT_EQ(bound(), 2U);
}

TEST_F(Reload, AChipThatTheApiMadeBecomesTheFiles) {
  open();
  ASSERT_TRUE(std::holds_alternative<PutAnswer>(run(service->put({.id = id("made"), .port = 20'009}))));
  const auto first = *connected("made").assignment;
  auto wanted = steps();
  wanted.added = {{.id = id("made"), .alias = "Ours", .port = 20'009}};
  (void)taken_on(wanted);
  EXPECT_EQ(chip("made").spec.alias, "Ours");
  EXPECT_EQ(chip("made").assignment->id, first.id);
  EXPECT_EQ(std::get<Denied>(run(service->remove(id("made")))).why, Denial::configured);
}

TEST_F(Reload, AChipThatTheProviderCannotCarryIsRefused) {
  open();
  auto wanted = steps();
  wanted.added = {spec("with-session-inside", 20'001)};
  const auto denied = refused(wanted);
  EXPECT_EQ(denied.why, Denial::bad_id);
  EXPECT_EQ(denied.field, "chips[with-session-inside].id");
}

TEST_F(Reload, AnotherModeBeginsAsANewChipWould) {
  add("alpha", ledger::ConnectMode::manual);
  open();
  auto wanted = steps();
  wanted.changed = {spec("alpha", 20'001, ledger::ConnectMode::on_start)};
  (void)taken_on(wanted);
  EXPECT_EQ(chip().arming, ledger::Arming::armed);
  ASSERT_TRUE(until_state(State::active));
  const auto first = *chip().assignment;
  wanted.changed = {spec("alpha", 20'001, ledger::ConnectMode::manual)};
  (void)taken_on(wanted);
  EXPECT_EQ(chip().arming, ledger::Arming::disarmed);
  EXPECT_EQ(chip().assignment->id, first.id);
}

TEST_F(Reload, AChipsOwnLimitOfWhatsAppSessionsComesAndGoes) {
  add("alpha");
  open();
  auto wanted = steps();
  wanted.changed = chips;
  wanted.changed[0].max_whatsapp_sessions = 1;
  (void)taken_on(wanted);
  EXPECT_EQ(port(0).most_whatsapp_sessions, 1U);
  wanted.changed[0].max_whatsapp_sessions.reset();
  (void)taken_on(wanted);
  EXPECT_FALSE(port(0).most_whatsapp_sessions);
}

TEST_F(Reload, AliasesMayChangeHands) {
  add("alpha");
  add("beta");
  chips[0].alias = "One";
  chips[1].alias = "Two";
  open();
  auto wanted = steps();
  wanted.changed = chips;
  std::swap(wanted.changed[0].alias, wanted.changed[1].alias);
  (void)taken_on(wanted);
  test::Outside outside(ledger_options.path);
  const auto alias = [&](const std::string& of) {
    return outside.one("SELECT alias FROM chips WHERE id = '" + of + "'");
  };
  ASSERT_TRUE(until([&] { return alias("alpha") == "Two" && alias("beta") == "One"; }));
  chips = wanted.changed;
  reopen();
  for (const auto& row : opened->restored.chips) EXPECT_EQ(row.alias, row.id == id("alpha") ? "Two" : "One");
}

TEST_F(Reload, AQuotaThatIsRaisedLetsTheChipGoOn) {
  add("alpha");
  chips[0].quota.day = 1'000;
  open();
  (void)connected();
  carry_and_count(5'000);
  ASSERT_TRUE(until_state(State::blocked));
  auto wanted = steps();
  wanted.changed = chips;
  wanted.changed[0].quota.day = 2'000;
  (void)taken_on(wanted);
  EXPECT_EQ(chip().state, State::blocked);
  wanted.changed[0].quota.day = 1'000'000;
  (void)taken_on(wanted);
  EXPECT_EQ(chip().state, State::released);
}

TEST_F(Reload, AQuotaThatIsLoweredBelowWhatWasCarriedStopsTheChip) {
  add("alpha");
  open();
  (void)connected();
  carry_and_count(5'000);
  EXPECT_EQ(chip().state, State::active);
  auto wanted = steps();
  wanted.changed = chips;
  wanted.changed[0].quota.day = 2'000;
  (void)taken_on(wanted);
  ASSERT_TRUE(until_state(State::blocked));
  EXPECT_EQ(port().told, ErrorKind::quota_reached);
}

TEST_F(Reload, AQuotaThatIsLoweredWhileTheChipRestsStopsNothingYet) {
  add("alpha");
  open();
  (void)connected();
  (void)run(service->release(id("alpha"), std::nullopt));
  carry_and_count(5'000);
  auto wanted = steps();
  wanted.changed = chips;
  wanted.changed[0].quota.day = 2'000;
  (void)taken_on(wanted);
  EXPECT_EQ(chip().state, State::released);
  EXPECT_EQ(told("chip.quota_reached"), 0U) << "or the count that could stop it would think that it had";
}

TEST_F(Reload, AnAssignmentThatNoEchoCanConfirmAnyMoreIsReplaced) {
  add("alpha");
  open();
  const auto first = *connected().assignment;
  auto wanted = steps();
  wanted.life.verify.echoes_v6 = std::exchange(wanted.life.verify.echoes_v4, {});
  (void)taken_on(wanted);
  ASSERT_TRUE(until([&] { return chip().assignment && chip().assignment->id != first.id; }));
  EXPECT_EQ(history().back().row.release_reason, "config_changed");
}

TEST_F(Reload, AShorterIntervalPullsLooksForward) {
  add("alpha");
  options.life.verify.interval = std::chrono::hours(1);
  open();
  (void)connected();
  const auto before = plane->looks;
  auto wanted = steps();
  wanted.life.verify.interval = Milliseconds(100);
  (void)taken_on(wanted);
  EXPECT_TRUE(until([&] { return plane->looks > before + 2; }));
}

TEST_F(Reload, TheApisRangeIsTheNewOne) {
  open();
  auto wanted = steps();
  wanted.ports = {21'001, 21'009};
  (void)taken_on(wanted);
  const auto made = std::get<PutAnswer>(run(service->put({.id = id("made")})));
  EXPECT_EQ(made.chip.spec.port, 21'001);
}

}  // namespace
}  // namespace chipgate::lifecycle
