// The text of what becomes of chips' assignments, and of the ledger.
#include "unit/telemetry/fake_source.hpp"

#include <gtest/gtest.h>
#include <set>
#include <string_view>

namespace chipgate::telemetry {
namespace {

TEST(Exposition, SaysWhatBecameOfChipsAssignments) {
  FakeSource source;
  const auto text = everything(Exposition(source));
  for (const auto* line : {
           "chipgate_exit_ip_duplicates 2\n",
           "chipgate_exit_ip_duplicates_seen_total 4\n",
           "chipgate_exit_verified_timestamp_seconds{chip=\"a\"} 1795348800.5\n",
           "chipgate_exit_moves_total 1\n",
           "chipgate_exit_exposure_seconds_bucket{le=\"150\"} 0\n",
           "chipgate_exit_exposure_seconds_bucket{le=\"300\"} 1\n",
           "chipgate_exit_exposure_seconds_sum 200\n",
           "chipgate_draws_total{outcome=\"in_use\"} 3\n",
           "chipgate_draws_total{outcome=\"taken\"} 2\n",
           "chipgate_draws_total{outcome=\"own_last\"} 0\n",
           "chipgate_look_verdicts_total{outcome=\"other\"} 1\n",
           "chipgate_look_verdicts_total{outcome=\"same\"} 0\n",
           "chipgate_look_bytes_total{direction=\"up\"} 0\n",
           "chipgate_look_bytes_total{direction=\"down\"} 700\n",
           "chipgate_looking 0\n",
           "chipgate_crowded_chips 1\n",
           "chipgate_quota_used_ratio{chip=\"a\"} 0.25\n",
           "chipgate_quota_used_ratio{chip=\"b\"} 1.5\n",
           "chipgate_gateway_breaker_open 1\n",
           "chipgate_gateway_breaker_opened_total{reason=\"provider_auth\"} 1\n",
           "chipgate_events_total{type=\"chip.moved\"} 1\n",
           "chipgate_assignments_active 2\n",
       }) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

TEST(Exposition, SaysHowTheLedgerFares) {
  FakeSource source;
  const auto text = everything(Exposition(source));
  for (const auto* line : {"chipgate_ledger_commits_total 5\n", "chipgate_ledger_commit_failures_total 1\n",
                           "chipgate_ledger_queue 3\n", "chipgate_ledger_writable 0\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

TEST(Exposition, EveryOutcomeHasAWordOfItsOwn) {
  std::set<std::string_view> words;
  for (std::size_t i = 0; i < draw_outcome_count; ++i) words.insert(name(static_cast<DrawOutcome>(i)));
  EXPECT_EQ(words.size(), draw_outcome_count);
  EXPECT_FALSE(words.contains(""));
}

}  // namespace
}  // namespace chipgate::telemetry
