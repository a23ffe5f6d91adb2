// The text for Prometheus, read line by line as promtool would.
#include "unit/telemetry/fake_source.hpp"

#include <algorithm>
#include <atomic>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <prometheus/metric_family.h>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

namespace chipgate::telemetry {
namespace {

using namespace std::chrono_literals;

std::size_t index_of(Family family) { return static_cast<std::size_t>(family); }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

struct Line {
  std::string name;
  std::string labels;
  double value;
};

// Rejects whatever the text format 0.0.4 does not allow.
std::optional<Line> parse_sample(const std::string& line) {
  static const std::regex grammar(
      R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+))");
  std::smatch match;
  if (!std::regex_match(line, match, grammar)) return std::nullopt;
  return Line{match[1], match[3], std::stod(match[4])};
}

TEST(Exposition, EachFamilyIsDeclaredOnceAndBeforeItsSamples) {
  FakeSource source;
  auto& chip = source.add_chip("a");
  chip.refusals.increment(ErrorKind::fenced);
  chip.tunnels_closed.increment(ErrorKind::client_closed);
  source.add_shard().dial_failures.increment(ErrorKind::gateway_refused);
  const Exposition exposition(source);

  std::set<std::string> seen;
  for (std::size_t i = 0; i < exposition.family_count(); ++i) {
    const auto lines = lines_of(exposition.render(i));
    const std::string name(families.at(i).name);
    ASSERT_GE(lines.size(), 3U) << name;
    EXPECT_TRUE(lines[0].starts_with("# HELP " + name + " ")) << lines[0];
    EXPECT_TRUE(lines[1].starts_with("# TYPE " + name + " ")) << lines[1];
    EXPECT_TRUE(seen.insert(name).second);
    for (std::size_t at = 2; at < lines.size(); ++at) {
      const auto sample = parse_sample(lines[at]);
      ASSERT_TRUE(sample) << lines[at];
      EXPECT_TRUE(sample->name == name || families.at(i).type == MetricType::histogram) << lines[at];
      EXPECT_TRUE(sample->name.starts_with(name)) << lines[at];
    }
  }
}

TEST(Exposition, NoSeriesAppearsTwice) {
  FakeSource source;
  for (const auto* chip : {"a", "b"}) source.add_chip(chip).refusals.increment(ErrorKind::fenced);
  source.add_shard();
  source.add_shard();
  std::set<std::string> series;
  for (const auto& line : lines_of(everything(Exposition(source)))) {
    if (!line.starts_with('#')) {
      EXPECT_TRUE(series.insert(line.substr(0, line.rfind(' '))).second) << line;
    }
  }
}

TEST(Exposition, SaysWhatTheCountersHold) {
  FakeSource source;
  auto& chip = source.add_chip("6a2f41a3");
  chip.bytes_up.add(10);
  chip.bytes_down.add(1'234'567'890'123);
  chip.bytes_elsewhere.add(9);
  chip.refusals.increment(ErrorKind::no_assignment);
  auto& first = source.add_shard();
  first.dials.add(2);
  first.looks_ok.add(4);
  auto& second = source.add_shard();
  second.dials.add(3);
  second.looks_ok.add(1);
  second.looks_failed.add(6);
  const auto text = everything(Exposition(source));
  for (const auto* line : {
           "chipgate_tunnel_bytes_total{chip=\"6a2f41a3\",direction=\"up\"} 10\n",
           "chipgate_tunnel_bytes_total{chip=\"6a2f41a3\",direction=\"down\"} 1234567890123\n",
           "chipgate_elsewhere_bytes_total{chip=\"6a2f41a3\"} 9\n",
           "chipgate_refusals_total{chip=\"6a2f41a3\",reason=\"no_assignment\"} 1\n",
           "chipgate_gateway_dials_total 5\n",
           "chipgate_looks_total{outcome=\"ok\"} 5\n",
           "chipgate_looks_total{outcome=\"failed\"} 6\n",
           "chipgate_chips{state=\"active\"} 2\n",
           "chipgate_gateway_endpoint_up{endpoint=\"http://gw.example:3120\"} 1\n",
           "chipgate_log_dropped_total 7\n",
           "chipgate_build_info{version=\"" CHIPGATE_VERSION "\"} 1\n",
       }) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

TEST(Exposition, LeavesOutReasonsThatNeverHappened) {
  FakeSource source;
  source.add_chip("a");
  const Exposition exposition(source);
  EXPECT_EQ(exposition.render(index_of(Family::chipgate_refusals_total)), "");
  EXPECT_NE(exposition.render(index_of(Family::chipgate_tunnels_open)), "");
}

TEST(Exposition, EscapesLabelValues) {
  FakeSource source;
  const auto text = Exposition(source).render(index_of(Family::chipgate_gateway_endpoint_up));
  EXPECT_NE(text.find(R"({endpoint="odd \"\\\n"} 0)"), std::string::npos) << text;
}

TEST(Exposition, HistogramsAreCumulativeAndEndInInf) {
  FakeSource source;
  auto& first = source.add_shard();
  auto& second = source.add_shard();
  first.stage(Stage::reply).observe(20ms);
  second.stage(Stage::reply).observe(3s);
  second.stage(Stage::reply).observe(10min);
  const auto text = Exposition(source).render(index_of(Family::chipgate_gateway_stage_duration_seconds));

  std::map<std::string, std::vector<double>> buckets;
  std::map<std::string, double> counts;
  const std::regex le(R"re(stage="(\w+)",le="([^"]+)")re");
  for (const auto& line : lines_of(text)) {
    if (line.starts_with('#')) continue;
    const auto sample = parse_sample(line);
    ASSERT_TRUE(sample) << line;
    std::smatch match;
    if (sample->name.ends_with("_bucket")) {
      ASSERT_TRUE(std::regex_search(sample->labels, match, le)) << line;
      buckets[match[1]].push_back(sample->value);
      EXPECT_EQ(match[2] == "+Inf", buckets[match[1]].size() == bound_count + 1) << line;
    } else if (sample->name.ends_with("_count")) {
      counts[sample->labels] = sample->value;
    }
  }
  ASSERT_EQ(buckets.size(), stage_count);
  for (const auto& [stage, values] : buckets) {
    ASSERT_EQ(values.size(), bound_count + 1) << stage;
    EXPECT_TRUE(std::ranges::is_sorted(values)) << stage;
    EXPECT_EQ(values.back(), counts["stage=\"" + stage + "\""]) << stage;
  }
  EXPECT_EQ(buckets["reply"], (std::vector<double>{0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3}));
}

TEST(Exposition, ProcessFamiliesHoldPlausibleValues) {
  FakeSource source;
  const Exposition exposition(source);
  const auto value = [&](Family family) {
    return parse_sample(lines_of(exposition.render(index_of(family))).back())->value;
  };
  EXPECT_GE(value(Family::process_open_fds), 3);
  EXPECT_LT(value(Family::process_open_fds), value(Family::process_max_fds));
  EXPECT_GT(value(Family::process_resident_memory_bytes), 1 << 20);
  EXPECT_GT(value(Family::process_cpu_seconds_total), 0);
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_NEAR(value(Family::process_start_time_seconds), now, 3600);
}

TEST(Exposition, TenThousandChipsComeInPiecesOfAFewMegabytes) {
  FakeSource source;
  source.add_shard();
  for (int i = 0; i < 10'000; ++i) {
    auto& chip = source.add_chip("6a2f41a3-c54c-fce8-32d2-" + std::to_string(100'000'000'000 + i));
    chip.bytes_down.add(UINT64_MAX / 3);
    for (const auto kind : {ErrorKind::fenced, ErrorKind::gateway_silent, ErrorKind::client_gone}) {
      chip.refusals.increment(kind);
      chip.tunnels_closed.increment(kind);
    }
  }
  const Exposition exposition(source);
  std::size_t series = 0;
  for (std::size_t i = 0; i < exposition.family_count(); ++i) {
    const auto text = exposition.render(i);
    EXPECT_LT(text.size(), 4U << 20) << families.at(i).name;
    series += static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }
  EXPECT_GT(series, 110'000U);
}

TEST(Exposition, IsReadWhileItsShardWrites) {
  FakeSource source;
  auto& chip = source.add_chip("a");
  auto& shard = source.add_shard();
  std::atomic<bool> done{false};
  std::thread writer([&] {
    while (!done) {
      chip.bytes_up.add(1);
      chip.refusals.increment(ErrorKind::fenced);
      shard.stage(Stage::head).observe(1ms);
    }
  });
  const Exposition exposition(source);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(everything(exposition).empty());
  done = true;
  writer.join();
}

}  // namespace
}  // namespace chipgate::telemetry
