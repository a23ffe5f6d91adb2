// Which fault strikes whom.
#include "sim/faults.hpp"

#include <gtest/gtest.h>

namespace chipgate::sim {
namespace {

Fault fault(FaultStage stage, FaultKind kind) {
  Fault made;
  made.stage = stage;
  made.kind = kind;
  return made;
}

Circumstances whom(ListenerKind listener, std::string_view session, std::string_view target) {
  return {listener, session, target};
}

const auto somebody = whom(ListenerKind::http, "chip-1-17", "a.sim:443");

TEST(FaultPlan, StrikesTheStageThatItIsFor) {
  FaultPlan plan;
  plan.add(fault(FaultStage::connect, FaultKind::silence));
  EXPECT_FALSE(plan.strike(FaultStage::tunnel, somebody));
  EXPECT_EQ(plan.strike(FaultStage::connect, somebody)->kind, FaultKind::silence);
}

TEST(FaultPlan, RefusesAKindThatDoesNotBelongToTheStage) {
  FaultPlan plan;
  EXPECT_FALSE(plan.add(fault(FaultStage::connect, FaultKind::expired)));
  EXPECT_FALSE(plan.add(fault(FaultStage::tunnel, FaultKind::status)));
  EXPECT_TRUE(plan.standing().empty());
}

TEST(FaultPlan, IsUsedUp) {
  FaultPlan plan;
  auto twice = fault(FaultStage::connect, FaultKind::rst);
  twice.count = 2;
  plan.add(twice);
  EXPECT_TRUE(plan.strike(FaultStage::connect, somebody));
  EXPECT_TRUE(plan.strike(FaultStage::connect, somebody));
  EXPECT_FALSE(plan.strike(FaultStage::connect, somebody));
  EXPECT_EQ(plan.standing()[0].struck, 2U);
}

TEST(FaultPlan, StrikesOnlyWhomItNames) {
  FaultPlan plan;
  auto picky = fault(FaultStage::connect, FaultKind::rst);
  picky.session = "chip-1";
  picky.target = ":443";
  picky.listener = ListenerKind::http;
  plan.add(picky);
  EXPECT_TRUE(plan.strike(FaultStage::connect, somebody));
  EXPECT_FALSE(plan.strike(FaultStage::connect, whom(ListenerKind::socks5, "chip-1-17", "a.sim:443")));
  EXPECT_FALSE(plan.strike(FaultStage::connect, whom(ListenerKind::http, "chip-2-17", "a.sim:443")));
  EXPECT_FALSE(plan.strike(FaultStage::connect, whom(ListenerKind::http, "chip-1-17", "a.sim:80")));
}

TEST(FaultPlan, TakesTheFirstThatFits) {
  FaultPlan plan;
  const auto first = plan.add(fault(FaultStage::connect, FaultKind::fin));
  plan.add(fault(FaultStage::connect, FaultKind::rst));
  EXPECT_EQ(plan.strike(FaultStage::connect, somebody)->kind, FaultKind::fin);
  EXPECT_TRUE(plan.remove(*first));
  EXPECT_FALSE(plan.remove(*first));
  EXPECT_EQ(plan.strike(FaultStage::connect, somebody)->kind, FaultKind::rst);
}

TEST(FaultPlan, RefusalsStandUntilTheyAreTakenAway) {
  FaultPlan plan;
  auto refuse = fault(FaultStage::accept, FaultKind::refuse);
  refuse.listener = ListenerKind::https;
  plan.add(refuse);
  EXPECT_TRUE(plan.refuses(ListenerKind::https));
  EXPECT_FALSE(plan.refuses(ListenerKind::http));
  EXPECT_FALSE(plan.strike(FaultStage::accept, whom(ListenerKind::https, "", "")));
  plan.clear();
  EXPECT_FALSE(plan.refuses(ListenerKind::https));
}

TEST(FaultNames, AreReadAndWrittenAlike) {
  for (const auto* kind : {"refuse", "silence", "status", "idle_reap", "self_signed"}) {
    ASSERT_TRUE(parse_kind(kind)) << kind;
    EXPECT_EQ(name(*parse_kind(kind)), kind);
  }
  for (const auto* stage : {"accept", "tls", "auth", "connect", "tunnel", "origin"}) {
    ASSERT_TRUE(parse_stage(stage)) << stage;
    EXPECT_EQ(name(*parse_stage(stage)), stage);
  }
  EXPECT_FALSE(parse_kind("explode"));
  EXPECT_FALSE(parse_stage("before"));
}

}  // namespace
}  // namespace chipgate::sim
