// Findings from facts.
#include "chipgate/cli/diagnosis.hpp"

#include "chipgate/cli/facts.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>
#include <sstream>

namespace chipgate::cli {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

lifecycle::ChipSpec chip(const char* id, std::uint16_t port) {
  lifecycle::ChipSpec spec{.id = *ChipId::parse(id)};
  spec.port = port;
  return spec;
}

class Diagnosis : public testing::Test {
 protected:
  Diagnosis() {
    settings_.chips = {chip("alpha", 20001), chip("beta", 20002)};
    facts_.host.ephemeral = PortSpan{32768, 60999};
    facts_.host.descriptors = 4096;
    facts_.host.addresses = {ip("203.0.113.7"), ip("192.168.1.2")};
    facts_.gateways = {
        {"http://gateway:3120", {ip("198.51.100.1"), ip("198.51.100.2"), ip("198.51.100.1")}, {}, Milliseconds(900)}};
    facts_.running.chips = {{"alpha", 20001, std::nullopt}, {"beta", 20002, Milliseconds(1'000)}};
    facts_.running.descriptors = 4096;
    facts_.descriptors_needed = 146;
    facts_.silent_for = std::chrono::minutes(10);
  }

  std::vector<Finding> findings() const { return diagnose(settings_, facts_); }

  Finding of(std::string_view what) const {
    const auto all = findings();
    const auto found = std::ranges::find(all, what, &Finding::what);
    return found == all.end() ? Finding{"none", Health::unknown, {}} : *found;
  }

  config::Settings settings_;
  Facts facts_;
};

TEST_F(Diagnosis, AHealthyHostHasNothingToFix) {
  EXPECT_TRUE(all_well(findings()));
  for (const auto& finding : findings()) {
    EXPECT_EQ(finding.health, Health::fine) << finding.what << ": " << finding.evidence;
    EXPECT_EQ(finding.fix, "") << finding.what;
  }
}

TEST_F(Diagnosis, EveryWarningOfTheConfigurationIsTold) {
  facts_.warnings = {"chipgate.yaml:3: one", "chipgate.yaml:4: other"};
  const auto all = findings();
  EXPECT_EQ(std::ranges::count(all, Health::warning, &Finding::health), 2);
  EXPECT_TRUE(all_well(all)) << "a warning is no fault";
}

TEST_F(Diagnosis, APortThatAnOutgoingConnectionMayTakeIsWrong) {
  settings_.chips = {chip("alpha", 32767), chip("beta", 32768), chip("gamma", 32769), chip("delta", 60999)};
  facts_.running.chips.clear();
  facts_.host.reserved = {{8080, 8080}, {9000, 9010}};
  const auto ports = of("ports");
  EXPECT_EQ(ports.health, Health::wrong);
  EXPECT_NE(ports.evidence.find("32768-32769, 60999"), std::string::npos) << ports.evidence;
  EXPECT_NE(ports.fix.find("ip_local_reserved_ports=8080,9000-9010,32768-32769,60999 "), std::string::npos)
      << ports.fix;
  EXPECT_FALSE(all_well(findings()));
}

TEST_F(Diagnosis, AReservedPortIsFine) {
  settings_.chips = {chip("alpha", 40000)};
  facts_.host.reserved = {{39999, 40001}};
  EXPECT_EQ(of("ports").health, Health::fine);
}

TEST_F(Diagnosis, APortOfAChipThatWasAddedLaterCounts) {
  facts_.running.chips.push_back({"late", 50000, std::nullopt});
  EXPECT_EQ(of("ports").health, Health::wrong);
}

TEST_F(Diagnosis, AKernelThatTellsNoRangeIsUnknown) {
  facts_.host.ephemeral.reset();
  EXPECT_EQ(of("ports").health, Health::unknown);
}

TEST_F(Diagnosis, TheRunningProcessesLimitOfDescriptorsIsTheOneThatCounts) {
  facts_.host.descriptors = 10;
  EXPECT_EQ(of("descriptors").health, Health::fine);
  facts_.running.descriptors = 145;
  EXPECT_EQ(of("descriptors").health, Health::wrong);
  facts_.running = {.trouble = "nobody answers"};
  facts_.host.descriptors = 146;
  EXPECT_EQ(of("descriptors").health, Health::fine);
}

TEST_F(Diagnosis, AGatewayThatDoesNotAnswerIsWrongAndItsReasonTold) {
  facts_.gateways[0] = {"http://gateway:3120", {ip("198.51.100.1")}, "the gateway refuses connections", std::nullopt};
  EXPECT_EQ(of("gateway").health, Health::wrong);
  EXPECT_NE(of("gateway").evidence.find("refuses connections"), std::string::npos);
  EXPECT_EQ(of("gateway_sticky").what, "none") << "nothing is known about that";
}

TEST_F(Diagnosis, ASessionThatChangesItsExitIsNotSticky) {
  facts_.gateways[0].exits[2] = ip("198.51.100.3");
  EXPECT_EQ(of("gateway_sticky").health, Health::wrong);
  EXPECT_NE(of("gateway_sticky").fix.find("sticky-session"), std::string::npos);
}

TEST_F(Diagnosis, SessionsThatShareAnExitAreNotToldApart) {
  facts_.gateways[0].exits[1] = facts_.gateways[0].exits[0];
  EXPECT_EQ(of("gateway_sticky").health, Health::wrong);
  EXPECT_NE(of("gateway_sticky").fix.find("gateway.preset"), std::string::npos);
}

TEST_F(Diagnosis, EveryEndpointIsLookedAt) {
  facts_.gateways.push_back({"http://spare:3120", {}, "the gateway refuses connections", std::nullopt});
  const auto all = findings();
  EXPECT_EQ(of("gateway").health, Health::fine) << "the first one";
  EXPECT_TRUE(std::ranges::any_of(all, [](const Finding& finding) {
    return finding.what == "gateway" && finding.health == Health::wrong &&
           finding.evidence.starts_with("http://spare:3120: ");
  }));
  facts_.gateways[1].exits = {ip("198.51.100.3"), ip("203.0.113.7"), ip("198.51.100.3")};
  EXPECT_EQ(of("exit_is_host").health, Health::wrong) << "an exit of the second one";
}

TEST_F(Diagnosis, AnExitThatIsTheHostsOwnIsWrong) {
  facts_.gateways[0].exits[1] = ip("203.0.113.7");
  EXPECT_EQ(of("exit_is_host").health, Health::wrong) << "an interface has it";
  facts_.gateways[0].exits[1] = ip("192.0.2.9");
  EXPECT_EQ(of("exit_is_host").health, Health::fine);
  facts_.host_ips = {ip("192.0.2.9")};
  EXPECT_EQ(of("exit_is_host").health, Health::wrong) << "the operator said so";
}

TEST_F(Diagnosis, BehindTranslationTheOperatorMustSayHowTheHostIsSeen) {
  facts_.host.addresses = {ip("10.0.0.2"), ip("172.17.0.1"), ip("100.64.3.4"), ip("fe80::1"), ip("fd00::1")};
  EXPECT_EQ(of("exit_is_host").health, Health::unknown);
  EXPECT_NE(of("exit_is_host").fix.find("--host-ip"), std::string::npos);
  facts_.host.addresses.push_back(ip("2a01:4f8::5"));
  EXPECT_EQ(of("exit_is_host").health, Health::unknown) << "a public address of the other family";
  facts_.host_ips = {ip("192.0.2.9")};
  EXPECT_EQ(of("exit_is_host").health, Health::fine);
}

TEST_F(Diagnosis, AClockThatIsOffByMoreThanThirtySecondsIsAWarning) {
  facts_.gateways[0].clock_ahead = Milliseconds(30'000);
  EXPECT_EQ(of("clock").health, Health::fine);
  facts_.gateways[0].clock_ahead = Milliseconds(30'001);
  EXPECT_EQ(of("clock").health, Health::warning);
  facts_.gateways[0].clock_ahead = Milliseconds(-95'000);
  EXPECT_EQ(of("clock").health, Health::warning);
  EXPECT_NE(of("clock").evidence.find("95 s behind"), std::string::npos);
  facts_.gateways[0].clock_ahead.reset();
  EXPECT_EQ(of("clock").health, Health::unknown);
}

TEST_F(Diagnosis, ALedgerThatCannotBeWrittenIsWrong) {
  facts_.host.ledger_trouble = "/var/lib/chipgate: Permission denied";
  EXPECT_EQ(of("ledger").health, Health::wrong);
  facts_.host.ledger_trouble.clear();
  facts_.running.ledger_writable = false;
  EXPECT_EQ(of("ledger").health, Health::wrong) << "the running one knows better";
}

TEST_F(Diagnosis, AControlPortBeyondLoopbackIsAWarning) {
  settings_.admin.listen.ip = ip("0.0.0.0");
  EXPECT_EQ(of("admin_exposed").health, Health::warning);
  settings_.admin.unix_socket = "/run/chipgate.sock";
  EXPECT_EQ(of("admin_exposed").health, Health::fine);
}

TEST_F(Diagnosis, AnAssignedChipWithoutATunnelForLongIsSilent) {
  facts_.running.chips[1].quiet = std::chrono::minutes(10) - Milliseconds(1);
  EXPECT_EQ(of("silent_chips").health, Health::fine);
  facts_.running.chips[1].quiet = std::chrono::minutes(12);
  EXPECT_EQ(of("silent_chips").health, Health::wrong);
  EXPECT_NE(of("silent_chips").evidence.find("beta (port 20002, 12min)"), std::string::npos)
      << of("silent_chips").evidence;
}

TEST_F(Diagnosis, OnlyAChipThatAdmitsIsSilent) {
  auto& beta = facts_.running.chips[1];
  beta.quiet = std::chrono::minutes(12);
  for (const auto state : {lifecycle::State::resuming, lifecycle::State::releasing, lifecycle::State::blocked}) {
    beta.state = state;
    EXPECT_EQ(of("silent_chips").health, Health::fine) << name(state);
  }
  beta.state = lifecycle::State::renewing;
  EXPECT_EQ(of("silent_chips").health, Health::wrong);
  beta.clients_held = 1;
  EXPECT_EQ(of("silent_chips").health, Health::fine) << "its client is there, and waits";
}

TEST_F(Diagnosis, SilenceSaysNothingWhileClientsAreRefused) {
  facts_.running.chips[1].quiet = std::chrono::minutes(12);
  facts_.running.account_trouble = "the provider wants to be paid (402) [provider_payment]";
  EXPECT_EQ(of("silent_chips").health, Health::unknown);
  EXPECT_NE(of("silent_chips").evidence.find("provider_payment"), std::string::npos);
  facts_.running.account_trouble.clear();
  EXPECT_EQ(of("silent_chips").health, Health::wrong);
  facts_.gateways.push_back({"http://spare:3120", {}, "the gateway refuses connections", std::nullopt});
  EXPECT_EQ(of("silent_chips").health, Health::unknown) << "those of that endpoint are refused";
  EXPECT_EQ(of("silent_chips").evidence, "clients are refused while the gateway fails, so silence says nothing");
  EXPECT_EQ(of("silent_chips").fix.find("else release it"), std::string::npos);
}

TEST_F(Diagnosis, AFleetOfSilentChipsFitsOnAScreen) {
  facts_.running.chips.assign(500, {"gamma", 20003, Milliseconds(3'600'000)});
  EXPECT_NE(of("silent_chips").evidence.find("and 480 more"), std::string::npos);
}

TEST_F(Diagnosis, SharedExitsAreWrong) {
  facts_.running.duplicates = 2;
  EXPECT_EQ(of("duplicates").health, Health::wrong);
}

TEST_F(Diagnosis, AChipgateThatDoesNotRunIsNoFault) {
  facts_.running = {.trouble = "no chipgate answers"};
  EXPECT_EQ(of("running").health, Health::unknown);
  EXPECT_EQ(of("silent_chips").what, "none");
  EXPECT_TRUE(all_well(findings()));
}

TEST_F(Diagnosis, IsWrittenForPeopleWithTheFixBelow) {
  facts_.running.duplicates = 2;
  std::ostringstream out;
  print_findings(out, findings());
  EXPECT_NE(out.str().find("\nwrong   duplicates"), std::string::npos) << out.str();
  EXPECT_NE(out.str().find("-> Rotate them"), std::string::npos) << out.str();
}

TEST_F(Diagnosis, IsWrittenForProgramsWithEveryMember) {
  facts_.running.duplicates = 2;
  std::ostringstream out;
  print_findings_json(out, findings());
  const auto read = boost::json::parse(out.str());
  EXPECT_FALSE(read.at("ok").as_bool());
  EXPECT_EQ(read.at("findings").as_array().size(), findings().size());
  const auto& last = read.at("findings").as_array().back();
  EXPECT_EQ(last.at("what"), "duplicates");
  EXPECT_EQ(last.at("health"), "wrong");
  EXPECT_FALSE(last.at("fix").as_string().empty());
}

TEST(HostFiles, ThePortRangeIsTwoNumbers) {
  const auto range = parse_port_range("32768\t60999");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 32768);
  EXPECT_EQ(range->last, 60999);
  for (const auto* const text : {"", "32768", "a b", "1 70000"}) EXPECT_FALSE(parse_port_range(text)) << text;
}

TEST(HostFiles, ReservedPortsAreNumbersAndSpans) {
  const auto spans = parse_reserved_ports("8080,20001-20100,x,");
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].first, 8080);
  EXPECT_EQ(spans[0].last, 8080);
  EXPECT_EQ(spans[1].last, 20100);
  EXPECT_TRUE(parse_reserved_ports("").empty());
}

TEST(HostFiles, ALedgerInAFolderThatIsNotThereCannotBeWritten) {
  EXPECT_NE(look_at_host("/nonexistent/chipgate.db").ledger_trouble, "");
  EXPECT_EQ(look_at_host("/tmp/a-ledger-that-is-not-there-yet.db").ledger_trouble, "");
}

TEST(Exposition, ASampleWithoutLabelsIsFoundByItsWholeName) {
  constexpr auto text = "# HELP a_b x\na_b_total 7\na_b{c=\"d\"} 3\na_b 1.048576e+06\n";
  EXPECT_EQ(sample_of(text, "a_b"), 1'048'576U);
  EXPECT_EQ(sample_of(text, "a"), 0U);
}

}  // namespace
}  // namespace chipgate::cli
