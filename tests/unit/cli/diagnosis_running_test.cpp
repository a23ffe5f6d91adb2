// Findings about the running chipgate and its chips.
#include "diagnosis_test.hpp"

namespace chipgate::cli {
namespace {

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
  facts_.gateways.push_back({"http://spare:3120", {}, Error{ErrorKind::gateway_refused}, std::nullopt});
  EXPECT_EQ(of("silent_chips").health, Health::unknown) << "those of that endpoint are refused";
  EXPECT_EQ(of("silent_chips").evidence, "clients are refused while the gateway fails, so silence says nothing");
  EXPECT_EQ(of("silent_chips").fix.find("else release it"), std::string::npos);
}

TEST_F(Diagnosis, BlockedChipsAreNamedInAWarning) {
  facts_.running.chips[0].state = lifecycle::State::blocked;
  EXPECT_EQ(of("chips").health, Health::warning);
  EXPECT_NE(of("chips").evidence.find("blocked: alpha"), std::string::npos) << of("chips").evidence;
  EXPECT_TRUE(all_well(findings())) << "an operator may have wished it";
}

TEST_F(Diagnosis, ChipsThatTheRunningOneLacksAreNamed) {
  settings_.chips.push_back(chip("gamma", 20003));
  EXPECT_EQ(of("chips").health, Health::warning);
  EXPECT_NE(of("chips").evidence.find("not in the running chipgate: gamma"), std::string::npos);
  EXPECT_NE(of("chips").fix.find("chipgate reload"), std::string::npos);
}

TEST_F(Diagnosis, ChipsThatNobodyUsesMayHaveClientsThatGoRoundThem) {
  auto& beta = facts_.running.chips[1];
  beta.state = lifecycle::State::released;
  EXPECT_EQ(of("chips").health, Health::unknown);
  EXPECT_EQ(of("chips").evidence, "armed, and without a byte this month: 1");
  beta.arming = ledger::Arming::disarmed;
  EXPECT_EQ(of("chips").health, Health::fine) << "it was released by hand";
  beta.arming = ledger::Arming::armed;
  beta.bytes_this_month = 1;
  EXPECT_EQ(of("chips").health, Health::fine);
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

}  // namespace
}  // namespace chipgate::cli
