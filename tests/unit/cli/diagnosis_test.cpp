// Findings about the configuration and the host, and how they are written.
#include "diagnosis_test.hpp"

#include "chipgate/config/load.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <sstream>

namespace chipgate::cli {
namespace {

TEST_F(Diagnosis, AHealthyHostHasNothingToFix) {
  EXPECT_TRUE(all_well(findings()));
  for (const auto& finding : findings()) {
    EXPECT_EQ(finding.health, Health::fine) << finding.what << ": " << finding.evidence;
    EXPECT_EQ(finding.fix, "") << finding.what;
  }
}

TEST_F(Diagnosis, EveryWarningOfTheConfigurationIsTold) {
  facts_.warnings = {{"chipgate.yaml", 3, "a", "is one", ""}, {"chipgate.yaml", 4, "b", "is another", ""}};
  const auto all = findings();
  EXPECT_EQ(std::ranges::count(all, Health::warning, &Finding::health), 2);
  EXPECT_TRUE(all_well(all)) << "a warning is no fault";
}

TEST_F(Diagnosis, AWarningThatAnotherCheckTellsIsNotToldTwice) {
  facts_.warnings = {{"f", 1, "admin.listen", "the control port is open beyond loopback, in clear text", ""}};
  EXPECT_EQ(of("configuration").health, Health::fine);
}

TEST_F(Diagnosis, WhatTheKernelReservesIsBelievedBeforeTheConfigurationsGuess) {
  config::Environment nothing{.variable = [](const std::string&) { return std::nullopt; },
                              .read = [](const std::string&) { return config::FileContent{}; }};
  facts_.warnings = config::parse(
                        "listen: {ports: 40000-40100}\ngateway: {username: a, password: b}\n"
                        "chips: [{id: a, port: 40000}]",
                        "f", nothing)
                        .value()
                        .warnings;
  ASSERT_EQ(facts_.warnings.size(), 2U);
  EXPECT_EQ(of("configuration").health, Health::fine);
  facts_.host.ephemeral.reset();
  EXPECT_EQ(of("configuration").health, Health::warning) << "nobody else can say it";
}

TEST_F(Diagnosis, TheRightsOfAFileAreNotMendedByItsKey) {
  facts_.warnings = {{"f", 1, "gateway.password_file", "may be read or written by everybody", "chmod 0600"}};
  EXPECT_EQ(of("configuration").fix, "Do that to the file that the key names.");
}

TEST_F(Diagnosis, APortThatIsLeftToTheKernelIsItsOwn) {
  settings_.chips = {chip("alpha", 0)};
  facts_.running.chips = {{"alpha", 40'000, std::nullopt}};
  EXPECT_EQ(of("ports").health, Health::fine);
}

TEST_F(Diagnosis, InAContainerPortsAreReservedFromOutside) {
  settings_.chips = {chip("alpha", 40'000)};
  facts_.host.place = Place::container;
  EXPECT_NE(of("ports").fix.find("docker run --sysctl net.ipv4.ip_local_reserved_ports=40000"), std::string::npos);
  EXPECT_NE(of("ports").fix.find("--network host"), std::string::npos);
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

TEST_F(Diagnosis, ALedgerThatCannotBeWrittenIsWrong) {
  facts_.running = {.trouble = "no chipgate answers"};
  facts_.host.ledger.access = LedgerRights::Access::refused;
  facts_.host.ledger.trouble = "/var/lib/chipgate: Permission denied";
  EXPECT_EQ(of("ledger").health, Health::wrong);
  facts_.host.ledger.access = LedgerRights::Access::no_folder;
  EXPECT_NE(of("ledger").fix.find("Make the folder"), std::string::npos);
}

TEST_F(Diagnosis, TheRunningChipgateKnowsItsLedgerBetterThanWhoeverAsks) {
  facts_.running.ledger_writable = false;
  EXPECT_EQ(of("ledger").health, Health::wrong);
  facts_.running.ledger_writable = true;
  facts_.host.ledger.access = LedgerRights::Access::refused;
  facts_.host.ledger.trouble = "/var/lib/chipgate: Permission denied";
  EXPECT_EQ(of("ledger").health, Health::fine) << "it runs as another user, and writes";
}

TEST_F(Diagnosis, RootsRightsSayNothingOfTheUserThatRunsChipgate) {
  facts_.host.asker = Asker::root;
  EXPECT_EQ(of("ledger").health, Health::fine) << "a running one is asked";
  facts_.running = {.trouble = "no chipgate answers"};
  EXPECT_EQ(of("ledger").health, Health::unknown);
  EXPECT_NE(of("ledger").fix.find("as the user that runs chipgate"), std::string::npos);
}

TEST_F(Diagnosis, AControlPortBeyondLoopbackIsAWarning) {
  settings_.admin.listen.ip = ip("0.0.0.0");
  EXPECT_EQ(of("admin_exposed").health, Health::warning);
  settings_.admin.unix_socket = "/run/chipgate.sock";
  EXPECT_EQ(of("admin_exposed").health, Health::fine);
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

}  // namespace
}  // namespace chipgate::cli
