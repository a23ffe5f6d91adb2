// Refusals come later and later, and always in time.
#include "chipgate/protocol/pacing.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace chipgate::protocol {
namespace {

using std::chrono::seconds;
constexpr Milliseconds budget{15'000};
constexpr TimePoint start{std::chrono::hours(1)};

TEST(RefusalPacer, DoublesTheWaitOfAClientThatReconnectsAtOnce) {
  RefusalPacer pacer(budget);
  auto now = start;
  for (const int wait : {1, 2, 4, 8, 15, 15, 15}) {
    const auto due = pacer.due(now, now);
    EXPECT_EQ(due - now, seconds(wait));
    now = due;
  }
}

TEST(RefusalPacer, CountsParallelRefusalsOnce) {
  RefusalPacer pacer(budget);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(pacer.due(start, start), start + seconds(1));
  const auto late = start + Milliseconds(999);
  EXPECT_EQ(pacer.due(late, late), late + seconds(1));
  EXPECT_EQ(pacer.due(start + seconds(1), start + seconds(1)), start + seconds(3));
}

TEST(RefusalPacer, AddsNothingToAClientThatWasHeldLonger) {
  RefusalPacer pacer(budget);
  EXPECT_EQ(pacer.due(start, start + seconds(15)), start + seconds(15));
  EXPECT_EQ(pacer.due(start, start + seconds(20)), start + seconds(20));
}

TEST(RefusalPacer, StartsAgainAfterASuccess) {
  RefusalPacer pacer(budget);
  auto now = start;
  for (int i = 0; i < 4; ++i) now = pacer.due(now, now);
  pacer.success();
  EXPECT_EQ(pacer.due(now, now), now + seconds(1));
  pacer.success();
  EXPECT_EQ(pacer.due(now, now), now + seconds(1));
}

TEST(RefusalPacer, StartsAgainWhereNobodyCameForLongerThanTheBudget) {
  RefusalPacer pacer(budget);
  auto now = start;
  for (int i = 0; i < 4; ++i) now = pacer.due(now, now);
  const auto soon = now + budget;
  EXPECT_EQ(pacer.due(soon, soon), soon + seconds(15)) << "it comes back again and again";
  const auto later = soon + seconds(15) + budget + Milliseconds(1);
  EXPECT_EQ(pacer.due(later, later), later + seconds(1));
}

// It came at once, and was held.
TEST(RefusalPacer, DoesNotStartAgainForAClientThatWasHeld) {
  RefusalPacer pacer(budget);
  auto now = start;
  for (int i = 0; i < 4; ++i) now = pacer.due(now, now);
  const auto refused = now + budget + seconds(1);
  EXPECT_EQ(pacer.due(now, refused), refused);
  EXPECT_EQ(pacer.due(refused, refused), refused + seconds(15));
}

TEST(RefusalPacer, KeepsWhatIsNoFailureApart) {
  RefusalPacer pacer(budget);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(pacer.due_by_itself(start, start), start + seconds(1));
  EXPECT_EQ(pacer.due(start, start), start + seconds(1)) << "it counted for nothing";
  EXPECT_EQ(RefusalPacer(Milliseconds(300)).due_by_itself(start, start), start + Milliseconds(300));
}

TEST(RefusalPacer, NeverPassesTheBudgetHoweverSmall) {
  for (const auto small : {Milliseconds(0), Milliseconds(300), Milliseconds(5'000)}) {
    RefusalPacer pacer(small);
    auto now = start;
    for (int i = 0; i < 100; ++i) {
      const auto due = pacer.due(now, now);
      EXPECT_GE(due, now);
      EXPECT_LE(due, now + small);
      now = due + Milliseconds(i);
    }
  }
}

TEST(RefusalPacer, SlowsAStormDown) {
  RefusalPacer pacer(budget);
  int refusals = 0;
  for (auto now = start; now < start + std::chrono::hours(1); ++refusals) now = pacer.due(now, now);
  EXPECT_LE(refusals, 4 + 3600 / 15 + 1);
}

TEST(RefusalPacing, SparesTheClientsOwnFaultsWhereTheyAreTold) {
  for (const auto form : {RefusalForm::status, RefusalForm::socks_reply}) {
    EXPECT_FALSE(is_paced(form, ErrorKind::malformed_request));
    EXPECT_FALSE(is_paced(form, ErrorKind::client_auth_required));
    EXPECT_TRUE(is_paced(form, ErrorKind::no_assignment));
    EXPECT_TRUE(is_paced(form, ErrorKind::gateway_refused));
    EXPECT_TRUE(is_paced(form, ErrorKind::provider_auth));
  }
}

TEST(RefusalPacing, SlowsEveryResetWhoeverIsAtFault) {
  for (const auto form : {RefusalForm::reset, RefusalForm::established_then_reset}) {
    EXPECT_TRUE(is_paced(form, ErrorKind::client_auth_required));
    EXPECT_TRUE(is_paced(form, ErrorKind::client_not_allowed));
    EXPECT_TRUE(is_paced(form, ErrorKind::gateway_refused));
  }
}

TEST(RefusalPacing, WhatSaysNothingOfTheChipIsNotCountedAgainstIt) {
  for (const auto kind :
       {ErrorKind::destination_denied, ErrorKind::client_auth_required, ErrorKind::client_not_allowed}) {
    EXPECT_TRUE(says_nothing_of_the_chip(kind));
  }
  EXPECT_FALSE(says_nothing_of_the_chip(ErrorKind::no_assignment));
  EXPECT_FALSE(says_nothing_of_the_chip(ErrorKind::malformed_request)) << "its client may come back for ever";
}

TEST(RefusalPacing, KeepsNothingForAClientThatIsGone) {
  EXPECT_FALSE(is_paced(RefusalForm::silent_close, ErrorKind::client_gone));
}

TEST(RefusalPacing, ASecondWhatsAppNumberIsSlowedDownAsIfItWereNoFaultOfTheClients) {
  for (const auto form : {RefusalForm::status, RefusalForm::socks_reply, RefusalForm::reset}) {
    EXPECT_TRUE(is_paced(form, ErrorKind::too_many_whatsapp_sessions));
    EXPECT_TRUE(is_paced(form, ErrorKind::fenced));
  }
  EXPECT_FALSE(is_paced(RefusalForm::status, ErrorKind::too_many_tunnels));
}

}  // namespace
}  // namespace chipgate::protocol
