// What a configuration that is read again changes.
#include "chipgate/config/difference.hpp"

#include "chipgate/config/keys.hpp"
#include "fixture.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace chipgate::config {
namespace {

using Words = std::vector<std::string>;

constexpr const char* account = "gateway: {username: alice, password: hunter2}\n";

Difference between(const std::string& old, const std::string& wanted) {
  const auto in_force = settings(account + old);
  return difference(in_force, with_kept_ports(settings(account + wanted), in_force, {}));
}

Words ids(const std::vector<lifecycle::ChipSpec>& chips) {
  Words found;
  for (const auto& chip : chips) found.push_back(chip.id.value());
  return found;
}

// "alpha 20001" of each.
Words ports(const Settings& settings) {
  Words found;
  for (const auto& chip : settings.chips) found.push_back(chip.id.value() + " " + std::to_string(chip.port));
  return found;
}

bool nothing_but_chips(const Difference& found) { return found.settings.empty() && found.restart_needed.empty(); }

TEST(Difference, OfTheSameFileIsNothing) {
  const auto text = "chips: [{id: a, alias: A, quota: {day: 5GB}}, {id: b, port: 0}]\nverify: {interval: 1min}\n";
  const auto found = between(text, text);
  EXPECT_TRUE(found.added.empty() && found.removed.empty() && found.changed.empty());
  EXPECT_TRUE(nothing_but_chips(found));
}

TEST(Difference, NamesChipsThatCameThatWentAndThatChanged) {
  const auto found = between(
      "chips: [{id: stays, port: 20001}, {id: goes, port: 20002}, {id: turns, port: 20003}, {id: eats, port: 20004}]",
      "chips: [{id: comes, port: 20009}, {id: stays, port: 20001}, {id: turns, port: 20003, connect: manual},"
      " {id: eats, port: 20004, quota: {month: 1GB}}]");
  EXPECT_EQ(ids(found.added), Words{"comes"});
  ASSERT_EQ(found.removed.size(), 1U);
  EXPECT_EQ(found.removed.front().value(), "goes");
  EXPECT_EQ(ids(found.changed), (Words{"turns", "eats"}));
  EXPECT_EQ(found.changed[0].connect, ledger::ConnectMode::manual);
  EXPECT_EQ(found.changed[1].quota.month, 1'000'000'000U);
  EXPECT_TRUE(nothing_but_chips(found));
  EXPECT_EQ(ports(found.in_force), (Words{"comes 20009", "stays 20001", "turns 20003", "eats 20004"}));
}

TEST(Difference, AnAliasIsAChange) {
  const auto found = between("chips: [{id: a, alias: One}]", "chips: [{id: a, alias: Two}]");
  EXPECT_EQ(ids(found.changed), Words{"a"});
  EXPECT_EQ(found.in_force.chips.front().alias, "Two");
}

TEST(Difference, AChipsOwnLimitOfWhatsAppSessionsIsAChange) {
  const auto found = between("chips: [{id: a, max_whatsapp_sessions: 1}]", "chips: [{id: a}]");
  EXPECT_EQ(ids(found.changed), Words{"a"});
  EXPECT_FALSE(found.in_force.chips.front().max_whatsapp_sessions);
}

TEST(Difference, APortWaitsForARestartAndTheRestOfTheChipDoesNot) {
  const auto found = between("chips: [{id: a, port: 20001}]", "chips: [{id: a, port: 20002, connect: on_start}]");
  EXPECT_EQ(found.restart_needed, Words{"chips[a].port"});
  ASSERT_EQ(ids(found.changed), Words{"a"});
  EXPECT_EQ(found.changed.front().port, 20'001);
  EXPECT_EQ(ports(found.in_force), Words{"a 20001"});
}

TEST(Difference, WhatIsOfUseWhileRunningHoldsAtOnce) {
  const auto found =
      between("log: {level: info}",
              "log: {level: debug, access: false}\nverify: {interval: 1min, echoes_v4: [http://one/, http://two/]}\n"
              "draws: {per_second: 5}\nkeep: {release_after: 1h}\nlisten: {ports: 21001-21009}\ntimeouts: {drain: 1s}\n"
              "admin: {price_per_gb: 3, webhook: {url: 'http://hook/', secret: s}}");
  EXPECT_EQ(found.settings,
            (Words{"listen.ports", "verify.interval", "verify.echoes_v4", "draws.per_second", "keep.release_after",
                   "timeouts.drain", "log.level", "log.access", "admin.price_per_gb", "admin.webhook"}));
  EXPECT_EQ(found.restart_needed, Words{});
  const auto& now = found.in_force;
  EXPECT_EQ(now.life.verify.interval, std::chrono::minutes(1));
  EXPECT_EQ(now.life.verify.echoes_v4.front().authority.host, "one");
  EXPECT_EQ(now.life.draw.per_second, 5U);
  EXPECT_EQ(now.life.keep.release_after, std::chrono::hours(1));
  EXPECT_EQ(now.chip_ports.first, 21'001);
  EXPECT_EQ(now.log.level, telemetry::LogLevel::debug);
  EXPECT_EQ(now.log.access, telemetry::AccessLines::off);
  EXPECT_EQ(now.admin.price->per_gb, 3);
  EXPECT_EQ(now.admin.webhook->url, "http://hook/");
}

TEST(Difference, OfDestinationsHoldsAtOnceAndHowTheyAreWrittenIsNone) {
  const auto found =
      between("destinations: {allow: [whatsapp]}", "destinations: {allow: [whatsapp, a.example], deny: ['*:25']}");
  EXPECT_EQ(found.settings, (Words{"destinations.allow", "destinations.deny"}));
  EXPECT_EQ(found.restart_needed, Words{});
  EXPECT_EQ(found.in_force.proxy.destinations.allow.size(), 7U);
  EXPECT_EQ(found.in_force.proxy.destinations.deny.front().text(), "*:25");
  EXPECT_EQ(between("destinations: {allow: [.A.example]}", "destinations: {allow: ['*.a.example']}").settings, Words{});
}

TEST(Difference, WhatWasBuiltAtTheStartWaitsAndHoldsAsItWas) {
  const auto old = settings("gateway: {username: alice, password: hunter2}\n");
  const auto wanted = settings(
      "gateway: {username: bob, password: other, endpoints: ['http://proxy:1']}\nworkers: 3\n"
      "ledger: {path: other.db, prefix_v4: 24}\nlog: {format: json}\nadmin: {listen: 'unix:/run/x', token_file: t}\n"
      "listen: {client_credentials: {username: u, password: p}}");
  const auto found = difference(old, wanted);
  EXPECT_EQ(found.restart_needed,
            (Words{"listen.client_credentials", "gateway.endpoints", "gateway.username", "gateway.password",
                   "ledger.path", "ledger.prefix_v4", "workers", "log.format", "admin.listen", "admin.token_file"}));
  EXPECT_EQ(found.settings, Words{});
  EXPECT_EQ(found.in_force.provider.username, "alice");
  EXPECT_EQ(found.in_force.provider.password.reveal(), "hunter2");
  EXPECT_EQ(found.in_force.life.prefix_v4, 32U);
  EXPECT_FALSE(found.in_force.proxy.listen.credentials);
  // It is told again as long as it waits.
  EXPECT_EQ(difference(found.in_force, wanted).restart_needed, found.restart_needed);
}

// A file that switches looking off needs no echoes.
TEST(Difference, WhileLookingWaitsToBeSwitchedAllOfVerifyWaits) {
  const auto found = between("", "verify: {enabled: false, interval: 1min, echoes_v4: []}\nkeep: {unused: 1h}");
  EXPECT_EQ(found.restart_needed, (Words{"verify.enabled", "verify.interval", "verify.echoes_v4"}));
  EXPECT_EQ(found.settings, Words{"keep.unused"});
  EXPECT_FALSE(found.in_force.life.verify.echoes_v4.empty());
}

// A key that nobody compares would be taken for unchanged.
TEST(Difference, ComparesEveryKey) {
  const auto compared = compared_keys();
  const auto known = [&](std::string key) {
    if (std::ranges::find(compared, key) != compared.end()) return true;
    constexpr std::string_view by_file = "_file";
    if (key.ends_with(by_file)) key.resize(key.size() - by_file.size());
    return std::ranges::find(compared, key) != compared.end();
  };
  for (const auto& section : sections()) {
    if (section.path.starts_with("chips[]") || known(std::string(section.path))) continue;
    for (const auto key : section.keys) {
      const auto path = section.path.empty() ? std::string(key) : std::string(section.path) + "." + std::string(key);
      const bool is_section = std::ranges::any_of(
          sections(), [&](const Section& other) { return other.path == path || other.path == path + "[]"; });
      if (is_section || path == "admin.currency") continue;  // told as the price's
      EXPECT_TRUE(known(path)) << path;
    }
  }
  EXPECT_EQ(between("admin: {price_per_gb: 1}", "admin: {price_per_gb: 1, currency: EUR}").settings,
            Words{"admin.price_per_gb"});
}

TEST(Ports, ThatTheFileLeavesOpenStayWithTheirChips) {
  const auto found = between("chips: [{id: a}, {id: b}, {id: c}]", "chips: [{id: c}, {id: new}, {id: b}]");
  EXPECT_EQ(found.restart_needed, Words{});
  // Whoever was pointed at a's port does not find itself with another number's exit.
  EXPECT_EQ(ports(found.in_force), (Words{"c 20003", "new 20004", "b 20002"}));
}

TEST(Ports, OfChipsThatLeftAreTakenWhereThereIsNoOther) {
  const auto found = between("listen: {ports: 20001-20002}\nchips: [{id: a}, {id: b}]",
                             "listen: {ports: 20001-20002}\nchips: [{id: b}, {id: c}]");
  EXPECT_EQ(ports(found.in_force), (Words{"b 20002", "c 20001"}));
}

TEST(Ports, OfOthersAreLeftAlone) {
  const auto old = settings(with_gateway("chips: [{id: a}]\nadmin: {listen: '127.0.0.1:20003'}"));
  const auto wanted =
      settings(with_gateway("chips: [{id: a}, {id: b}, {id: c, port: 20005}]\nadmin: {listen: "
                            "'127.0.0.1:20004'}"));
  EXPECT_EQ(ports(with_kept_ports(wanted, old, {{*ChipId::parse("of-the-api"), 20'002}})),
            (Words{"a 20001", "b 20006", "c 20005"}));
}

TEST(Ports, OfAChipThatTheApiMadeAndTheFileNamesNowAreKept) {
  const auto old = settings(with_gateway("chips: [{id: a}]"));
  const auto wanted = settings(with_gateway("chips: [{id: a}, {id: b}]"));
  EXPECT_EQ(ports(with_kept_ports(wanted, old, {{*ChipId::parse("b"), 20'007}})), (Words{"a 20001", "b 20007"}));
}

TEST(Ports, ThatTheFileGivesToAnotherAreNotKept) {
  const auto found = between("chips: [{id: a}, {id: b}]", "chips: [{id: a}, {id: b}, {id: c, port: 20002}]");
  EXPECT_EQ(found.restart_needed, Words{"chips[b].port"});
  EXPECT_EQ(found.added.front().port, 20'002);
}

}  // namespace
}  // namespace chipgate::config
