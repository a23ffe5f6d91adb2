// Counters, gauges, histograms and the table of metrics.
#include "chipgate/telemetry/metrics.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <sstream>
#include <string>
#include <thread>

namespace chipgate::telemetry {
namespace {

using namespace std::chrono_literals;

TEST(Counter, IsReadByAnotherThreadWhileItGrows) {
  ChipCounters counters;
  std::thread writer([&counters] {
    for (int i = 0; i < 100'000; ++i) {
      counters.bytes_up.add(3);
      counters.tunnels_open.increment();
      counters.refusals.increment(ErrorKind::fenced);
      counters.tunnels_open.decrement();
    }
  });
  std::uint64_t last = 0;
  while (last < 300'000) {
    const auto now = counters.bytes_up.value();
    ASSERT_GE(now, last);
    last = now;
  }
  writer.join();
  EXPECT_EQ(counters.refusals.value(ErrorKind::fenced), 100'000U);
  EXPECT_EQ(counters.refusals.value(ErrorKind::draining), 0U);
  EXPECT_EQ(counters.tunnels_open.value(), 0);
}

TEST(Gauge, GoesBelowZeroRatherThanAround) {
  Gauge gauge;
  gauge.add(5);
  gauge.subtract(7);
  EXPECT_EQ(gauge.value(), -2);
  gauge.set(9);
  EXPECT_EQ(gauge.value(), 9);
}

TEST(Histogram, CountsADurationIntoTheFirstBucketThatHoldsIt) {
  Histogram histogram(stage_bounds);
  histogram.observe(0ms);
  histogram.observe(10ms);  // a bound belongs to its own bucket
  histogram.observe(11ms);
  histogram.observe(60s);
  histogram.observe(61s);
  const auto snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.buckets.at(0), 2U);
  EXPECT_EQ(snapshot.buckets.at(1), 1U);
  EXPECT_EQ(snapshot.buckets.at(bound_count - 1), 1U);
  EXPECT_EQ(snapshot.buckets.at(bound_count), 1U);
  EXPECT_EQ(snapshot.count(), 5U);
  EXPECT_NEAR(snapshot.sum_seconds, 121.021, 1e-9);
}

TEST(Histogram, TakesATimeBeforeItsBeginAsNone) {
  Histogram histogram(stage_bounds);
  histogram.observe(-5ms);
  EXPECT_EQ(histogram.snapshot().buckets.at(0), 1U);
  EXPECT_EQ(histogram.snapshot().sum_seconds, 0);
}

TEST(Histogram, SnapshotsAddUp) {
  Histogram one(stage_bounds);
  Histogram other(stage_bounds);
  one.observe(1s);
  other.observe(2s);
  auto sum = one.snapshot();
  sum += other.snapshot();
  EXPECT_EQ(sum.count(), 2U);
  EXPECT_DOUBLE_EQ(sum.sum_seconds, 3);
}

TEST(Histogram, BoundsRise) {
  for (const auto* bounds : {&stage_bounds, &lifetime_bounds}) {
    EXPECT_TRUE(std::ranges::is_sorted(*bounds));
    EXPECT_EQ(std::ranges::adjacent_find(*bounds), bounds->end());
  }
}

std::set<std::string> words(std::string_view labels) {
  std::set<std::string> found;
  std::istringstream stream{std::string(labels)};
  for (std::string word; std::getline(stream, word, ',');) found.insert(word);
  return found;
}

TEST(MetricsTable, NamesAreUniquePrefixedAndEndInTheirUnit) {
  std::set<std::string_view> names;
  for (const auto& family : families) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
    EXPECT_TRUE(family.name.starts_with("chipgate_") || family.name.starts_with("process_")) << family.name;
    EXPECT_EQ(family.name.ends_with("_total"), family.type == MetricType::counter) << family.name;
    if (family.type == MetricType::histogram) {
      EXPECT_TRUE(family.name.ends_with("_seconds")) << family.name;
    }
    EXPECT_TRUE(family.help.ends_with('.')) << family.name;
    for (const auto* unit : {"milliseconds", "_ms", "_kb", "_minutes"}) {
      EXPECT_EQ(family.name.find(unit), std::string_view::npos) << family.name;
    }
  }
}

TEST(MetricsTable, LabelsAreBounded) {
  const std::set<std::string> allowed{"chip",  "direction", "reason",  "stage", "endpoint",
                                      "state", "version",   "outcome", "type"};
  for (const auto& family : families) {
    const auto labels = words(family.labels);
    EXPECT_TRUE(std::ranges::includes(allowed, labels)) << family.name;
    EXPECT_FALSE(family.type == MetricType::histogram && labels.contains("chip")) << family.name;
  }
}

}  // namespace
}  // namespace chipgate::telemetry
