// What the scrape asks.
#include "chipgate/lifecycle/exit.hpp"
#include "chipgate/lifecycle/service.hpp"

#include <algorithm>

namespace chipgate::lifecycle {
namespace {

double share(const ledger::Traffic& used, std::uint64_t limit) {
  if (limit == 0) return 0;
  return static_cast<double>(used.up + used.down) / static_cast<double>(limit);
}

}  // namespace

std::vector<telemetry::StateCount> Service::chip_states() const {
  std::vector<telemetry::StateCount> counts;
  for (std::size_t i = 0; i < state_count; ++i) {
    const auto state = static_cast<State>(i);
    counts.push_back({name(state), count(state)});
  }
  return counts;
}

std::uint64_t Service::duplicates() const {
  std::map<IpAddress, std::uint64_t> users;
  for (const auto& [id, chip] : chips_) {
    if (!chip->observed || parts_.plane.usage(chip->index).tunnels_open == 0) continue;
    ++users[exit_of(*chip->observed, options_.life)];
  }
  std::uint64_t found = 0;
  for (const auto& [exit, chips] : users) found += chips > 1 ? chips : 0;
  return found;
}

std::uint64_t Service::crowded_chips() const {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(chips_, [](const auto& entry) { return entry.second->crowd > 1; }));
}

std::vector<telemetry::ChipValue> Service::verified_at() const {
  std::vector<telemetry::ChipValue> values;
  if (!looking()) return values;
  for (const auto& [id, chip] : chips_) {
    const bool open = chip->current && (chip->usable() || chip->phase == Phase::resuming);
    if (!open) continue;
    const std::chrono::duration<double> since_epoch = chip->current->verified_at.time_since_epoch();
    values.push_back({id.value(), since_epoch.count()});
  }
  return values;
}

std::vector<telemetry::ChipValue> Service::quota_used() const {
  std::vector<telemetry::ChipValue> values;
  for (const auto& [id, chip] : chips_) {
    const auto& quota = chip->spec.quota;
    if (quota == Quota{}) continue;
    const auto seen = view(*chip);
    values.push_back(
        {id.value(), std::max(share(seen.traffic_today, quota.day), share(seen.traffic_month, quota.month))});
  }
  return values;
}

}  // namespace chipgate::lifecycle
