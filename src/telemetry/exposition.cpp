// Collecting each family's samples, and their text.
#include "chipgate/telemetry/exposition.hpp"

#include "chipgate/telemetry/process.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <initializer_list>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sstream>
#include <utility>

namespace chipgate::telemetry {
namespace {

prometheus::MetricType prometheus_type(MetricType type) {
  switch (type) {
    case MetricType::counter: return prometheus::MetricType::Counter;
    case MetricType::gauge: return prometheus::MetricType::Gauge;
    case MetricType::histogram: return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

template <class Enum, std::size_t count>
constexpr std::array<Enum, count> every() {
  std::array<Enum, count> all{};
  for (std::size_t i = 0; i < count; ++i) all[i] = static_cast<Enum>(i);
  return all;
}

constexpr auto all_families = every<Family, families.size()>();
constexpr auto error_kinds = every<ErrorKind, error_count>();
constexpr auto all_stages = every<Stage, stage_count>();
constexpr auto draw_outcomes = every<DrawOutcome, draw_outcome_count>();
constexpr auto look_outcomes = every<LookOutcome, look_outcome_count>();

using LabelValues = std::initializer_list<std::string_view>;

std::vector<prometheus::ClientMetric::Label> labels_of(const FamilyInfo& family, LabelValues values) {
  std::vector<prometheus::ClientMetric::Label> labels;
  labels.reserve(values.size());
  auto names = family.labels;
  for (const auto value : values) {
    const auto comma = std::min(names.find(','), names.size());
    labels.push_back({std::string(names.substr(0, comma)), std::string(value)});
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  return labels;
}

// The samples of one family as they are found.
class Samples {
 public:
  explicit Samples(const FamilyInfo& family) : info_(family) {
    family_.name = family.name;
    family_.help = family.help;
    family_.type = prometheus_type(family.type);
  }

  template <class Number>
  void add(LabelValues values, Number value) {
    auto& metric = append(values);
    if (info_.type == MetricType::counter) metric.counter.value = static_cast<double>(value);
    if (info_.type == MetricType::gauge) metric.gauge.value = static_cast<double>(value);
  }

  void add(LabelValues values, const HistogramBounds& bounds, const HistogramSnapshot& snapshot) {
    auto& histogram = append(values).histogram;
    histogram.sample_count = snapshot.count();
    histogram.sample_sum = snapshot.sum_seconds;
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      cumulative += snapshot.buckets.at(i);
      histogram.bucket.push_back({cumulative, bounds.at(i)});
    }
  }

  prometheus::MetricFamily take() && { return std::move(family_); }

 private:
  prometheus::ClientMetric& append(LabelValues values) {
    auto& metric = family_.metric.emplace_back();
    metric.label = labels_of(info_, values);
    return metric;
  }

  const FamilyInfo& info_;
  prometheus::MetricFamily family_;
};

template <class Value>
void each_chip(Samples& samples, const MetricsSource& source, Value value) {
  for (const auto& [chip, counters] : source.chips()) samples.add({chip}, std::invoke(value, *counters).value());
}

void both_directions(Samples& samples, const MetricsSource& source) {
  for (const auto& [chip, counters] : source.chips()) {
    samples.add({chip, "up"}, counters->bytes_up.value());
    samples.add({chip, "down"}, counters->bytes_down.value());
  }
}

// Most reasons never happen to a chip; their zeros would be most of the text.
void each_reason(Samples& samples, const MetricsSource& source, ReasonCounters ChipCounters::* reasons) {
  for (const auto& [chip, counters] : source.chips()) {
    for (const auto kind : error_kinds) {
      const auto count = (counters->*reasons).value(kind);
      if (count != 0) samples.add({chip, chipgate::info(kind).name}, count);
    }
  }
}

template <class Value>
void sum(Samples& samples, const MetricsSource& source, Value value) {
  decltype(std::invoke(value, std::declval<ShardCounters>()).value()) total{};
  for (const auto* shard : source.shards()) total += std::invoke(value, *shard).value();
  samples.add({}, total);
}

void dial_failures(Samples& samples, const MetricsSource& source) {
  for (const auto kind : error_kinds) {
    std::uint64_t total = 0;
    for (const auto* shard : source.shards()) total += shard->dial_failures.value(kind);
    if (total != 0) samples.add({chipgate::info(kind).name}, total);
  }
}

void looks(Samples& samples, const MetricsSource& source) {
  std::uint64_t ok = 0;
  std::uint64_t failed = 0;
  for (const auto* shard : source.shards()) {
    ok += shard->looks_ok.value();
    failed += shard->looks_failed.value();
  }
  samples.add({"ok"}, ok);
  samples.add({"failed"}, failed);
}

void stages(Samples& samples, const MetricsSource& source) {
  for (const auto stage : all_stages) {
    HistogramSnapshot total;
    for (const auto* shard : source.shards()) total += shard->stage(stage).snapshot();
    samples.add({name(stage)}, stage_bounds, total);
  }
}

void tunnel_durations(Samples& samples, const MetricsSource& source) {
  HistogramSnapshot total;
  for (const auto* shard : source.shards()) total += shard->tunnel_duration.snapshot();
  samples.add({}, lifetime_bounds, total);
}

void breaker_reasons(Samples& samples, const LifeCounters& counters) {
  for (const auto kind : error_kinds) {
    const auto count = counters.breaker_opened.value(kind);
    if (count != 0) samples.add({chipgate::info(kind).name}, count);
  }
}

void each_value(Samples& samples, const std::vector<ChipValue>& values) {
  for (const auto& [chip, value] : values) samples.add({chip}, value);
}

void fill_life(Samples& samples, Family family, const LifeSource& source) {
  const auto& counters = source.counters();
  switch (family) {
    case Family::chipgate_chips:
      for (const auto& [state, count] : source.chip_states()) samples.add({state}, count);
      return;
    case Family::chipgate_assignments_active: return samples.add({}, source.assignments_active());
    case Family::chipgate_exit_ip_duplicates: return samples.add({}, source.duplicates());
    case Family::chipgate_exit_ip_duplicates_seen_total: return samples.add({}, counters.duplicates_seen.value());
    case Family::chipgate_exit_verified_timestamp_seconds: return each_value(samples, source.verified_at());
    case Family::chipgate_exit_moves_total: return samples.add({}, counters.moves.value());
    case Family::chipgate_exit_exposure_seconds: return samples.add({}, exposure_bounds, counters.exposure.snapshot());
    case Family::chipgate_draws_total:
      for (const auto outcome : draw_outcomes) samples.add({name(outcome)}, counters.draw(outcome).value());
      return;
    case Family::chipgate_look_verdicts_total:
      for (const auto outcome : look_outcomes) samples.add({name(outcome)}, counters.look(outcome).value());
      return;
    case Family::chipgate_look_bytes_total:
      samples.add({"up"}, counters.look_bytes_up.value());
      return samples.add({"down"}, counters.look_bytes_down.value());
    case Family::chipgate_looking: return samples.add({}, source.looking() ? 1 : 0);
    case Family::chipgate_crowded_chips: return samples.add({}, source.crowded_chips());
    case Family::chipgate_quota_used_ratio: return each_value(samples, source.quota_used());
    case Family::chipgate_gateway_breaker_open: return samples.add({}, source.breaker_open() ? 1 : 0);
    case Family::chipgate_gateway_breaker_opened_total: return breaker_reasons(samples, counters);
    case Family::chipgate_events_total:
      for (const auto& [type, count] : counters.events) samples.add({type}, count);
      return;
    default: return;
  }
}

void fill_ledger(Samples& samples, Family family, const LedgerSample& ledger) {
  switch (family) {
    case Family::chipgate_ledger_commits_total: return samples.add({}, ledger.commits);
    case Family::chipgate_ledger_commit_failures_total: return samples.add({}, ledger.commit_failures);
    case Family::chipgate_ledger_queue: return samples.add({}, ledger.queue);
    case Family::chipgate_ledger_writable: return samples.add({}, ledger.writable ? 1 : 0);
    default: return;
  }
}

void fill(Samples& samples, Family family, const MetricsSource& source) {
  using Chip = ChipCounters;
  using Shard = ShardCounters;
  switch (family) {
    case Family::chipgate_tunnels_opened_total: return each_chip(samples, source, &Chip::tunnels_opened);
    case Family::chipgate_tunnels_open: return each_chip(samples, source, &Chip::tunnels_open);
    case Family::chipgate_tunnel_bytes_total: return both_directions(samples, source);
    case Family::chipgate_elsewhere_bytes_total: return each_chip(samples, source, &Chip::bytes_elsewhere);
    case Family::chipgate_clients_held: return each_chip(samples, source, &Chip::clients_held);
    case Family::chipgate_refusals_total: return each_reason(samples, source, &Chip::refusals);
    case Family::chipgate_tunnels_closed_total: return each_reason(samples, source, &Chip::tunnels_closed);
    case Family::chipgate_clients_accepted_total: return sum(samples, source, &Shard::accepts);
    case Family::chipgate_handshakes: return sum(samples, source, &Shard::handshakes);
    case Family::chipgate_accept_pauses_total: return sum(samples, source, &Shard::accept_pauses);
    case Family::chipgate_gateway_dials_total: return sum(samples, source, &Shard::dials);
    case Family::chipgate_gateway_dial_failures_total: return dial_failures(samples, source);
    case Family::chipgate_looks_total: return looks(samples, source);
    case Family::chipgate_gateway_stage_duration_seconds: return stages(samples, source);
    case Family::chipgate_tunnel_duration_seconds: return tunnel_durations(samples, source);
    case Family::chipgate_relay_blocked_bytes: return sum(samples, source, &Shard::blocked_bytes);
    case Family::chipgate_relay_turns_total: return sum(samples, source, &Shard::turns);
    case Family::chipgate_build_info: return samples.add({CHIPGATE_VERSION}, 1);
    case Family::chipgate_gateway_endpoint_up:
      for (const auto& [name, health] : source.endpoints()) samples.add({name}, health == EndpointHealth::up ? 1 : 0);
      return;
    case Family::chipgate_log_dropped_total: return samples.add({}, source.log_dropped());
    case Family::chipgate_chips:
    case Family::chipgate_assignments_active:
    case Family::chipgate_exit_ip_duplicates:
    case Family::chipgate_exit_ip_duplicates_seen_total:
    case Family::chipgate_exit_verified_timestamp_seconds:
    case Family::chipgate_exit_moves_total:
    case Family::chipgate_exit_exposure_seconds:
    case Family::chipgate_draws_total:
    case Family::chipgate_look_verdicts_total:
    case Family::chipgate_look_bytes_total:
    case Family::chipgate_looking:
    case Family::chipgate_crowded_chips:
    case Family::chipgate_quota_used_ratio:
    case Family::chipgate_gateway_breaker_open:
    case Family::chipgate_gateway_breaker_opened_total:
    case Family::chipgate_events_total: return fill_life(samples, family, source.life());
    case Family::chipgate_ledger_commits_total:
    case Family::chipgate_ledger_commit_failures_total:
    case Family::chipgate_ledger_queue:
    case Family::chipgate_ledger_writable: return fill_ledger(samples, family, source.ledger());
    case Family::process_open_fds: return samples.add({}, open_descriptors());
    case Family::process_max_fds: return samples.add({}, max_descriptors());
    case Family::process_resident_memory_bytes: return samples.add({}, resident_bytes());
    case Family::process_cpu_seconds_total: return samples.add({}, cpu_seconds());
    case Family::process_start_time_seconds: return samples.add({}, start_time_seconds());
  }
}

prometheus::MetricFamily collect(Family family, const MetricsSource& source) {
  Samples samples(info(family));
  fill(samples, family, source);
  return std::move(samples).take();
}

}  // namespace

std::string Exposition::render(std::size_t family) const {
  const std::vector<prometheus::MetricFamily> one{collect(all_families.at(family), source_)};
  if (one.front().metric.empty()) return {};
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, one);
  return std::move(text).str();
}

}  // namespace chipgate::telemetry
