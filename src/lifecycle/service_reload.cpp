// What a configuration that was read again changes.
#include "chipgate/lifecycle/arming.hpp"
#include "chipgate/lifecycle/service.hpp"

#include <algorithm>
#include <set>

namespace chipgate::lifecycle {
namespace {

// As long as an operator's own removal is waited for.
constexpr Milliseconds ending_patience{10'000};

std::string key_of(const ChipId& id, std::string_view key) { return "chips[" + id.value() + "]." + std::string(key); }

}  // namespace

net::Task<Wish<Reconfigured>> Service::reconfigure(Reconfigure wanted) {
  if (auto denied = unfit(wanted)) co_return std::move(*denied);
  auto bound = bind_free(wanted);
  if (auto* const denied = std::get_if<Denied>(&bound)) co_return std::move(*denied);
  auto added = std::get<std::vector<ChipPtr>>(std::move(bound));
  auto told = co_await remove_all(wanted.removed);
  auto changed = wanted.changed;
  for (auto& spec : wanted.added) {
    if (const auto known = find(spec.id)) {
      // Else its port was bound above.
      if (known->origin == ledger::ChipOrigin::api) changed.push_back(std::move(spec));
      continue;
    }
    const auto id = spec.id;
    auto chip = listen_for(std::move(spec));
    if (chip.has_value()) {
      added.push_back(std::move(*chip));
    } else {
      told.unfinished.push_back({id, chip.error().detail});
    }
  }
  // Aliases may have changed hands: all are given up before one is taken. The ledger takes them in this order.
  for (const auto& spec : changed) {
    const auto chip = find(spec.id);
    if (!chip || chip->spec.alias == spec.alias) continue;
    auto row = row_of(*chip);
    row.alias.clear();
    tasks_.spawn(record_row(std::move(row)));
  }
  for (auto& spec : changed) {
    if (const auto chip = find(spec.id)) take_on(chip, std::move(spec));
  }
  for (const auto& chip : added) welcome(chip);
  options_.ports = wanted.ports;
  take_on(wanted.life);
  co_return told;
}

// The file agrees with itself; with the chips of the API, and with those that leave late, it may not.
std::optional<Denied> Service::unfit(const Reconfigure& wanted) const {
  const std::set<ChipId> going(wanted.removed.begin(), wanted.removed.end());
  std::set<ChipId> named;
  for (const auto* specs : {&wanted.added, &wanted.changed}) {
    for (const auto& spec : *specs) named.insert(spec.id);
  }
  std::map<std::uint16_t, ChipId> ports;
  std::map<std::string, ChipId> aliases;
  for (const auto& [id, chip] : chips_) {
    if (going.contains(id)) continue;
    ports.emplace(chip->spec.port, id);
    if (!named.contains(id)) aliases.emplace(chip->spec.alias, id);
  }
  for (const auto& spec : wanted.added) {
    if (auto why = parts_.provider.complaint(spec.id)) {
      return Denied{Denial::bad_id, "chip " + spec.id.value() + ": " + *why, key_of(spec.id, "id")};
    }
    const auto known = find(spec.id);
    if (known && known->leaves()) {
      return Denied{Denial::not_released, "chip " + spec.id.value() + " is still being removed", key_of(spec.id, "id")};
    }
    if (known && spec.port != 0 && known->spec.port != spec.port) {
      return Denied{Denial::not_released,
                    "chip " + spec.id.value() + " was made by the API on port " + std::to_string(known->spec.port) +
                        ": give it this port in the file, or delete it there",
                    key_of(spec.id, "port")};
    }
    const auto holder = ports.find(spec.port);
    if (spec.port != 0 && holder != ports.end() && holder->second != spec.id) {
      return Denied{Denial::port_taken,
                    "the port " + std::to_string(spec.port) + " of chip " + spec.id.value() + " is chip " +
                        holder->second.value() + "'s",
                    key_of(spec.id, "port")};
    }
  }
  for (const auto* specs : {&wanted.added, &wanted.changed}) {
    for (const auto& spec : *specs) {
      const auto holder = aliases.find(spec.alias);
      if (spec.alias.empty() || holder == aliases.end()) continue;
      return Denied{Denial::alias_taken,
                    "the alias of chip " + spec.id.value() + " is chip " + holder->second.value() + "'s",
                    key_of(spec.id, "alias")};
    }
  }
  return std::nullopt;
}

Result<ChipPtr> Service::listen_for(ChipSpec spec) {
  try {
    return add(std::move(spec), ledger::ChipOrigin::configured);
  } catch (const std::runtime_error& error) {
    return Error{ErrorKind::port_not_bound, error.what()};
  }
}

// All ports that are free now, or none: what cannot be bound is known before anything has changed.
Wish<std::vector<ChipPtr>> Service::bind_free(const Reconfigure& wanted) {
  std::set<std::uint16_t> soon_free;
  for (const auto& id : wanted.removed) {
    if (const auto chip = find(id)) soon_free.insert(chip->spec.port);
  }
  std::vector<ChipPtr> bound;
  for (const auto& spec : wanted.added) {
    if (find(spec.id) || soon_free.contains(spec.port)) continue;
    auto chip = listen_for(spec);
    if (chip.has_value()) {
      bound.push_back(std::move(*chip));
      continue;
    }
    for (const auto& other : bound) {
      by_index_.at(other->index.value()).reset();
      chips_.erase(other->spec.id);
      parts_.plane.close(other->index, [] {});
    }
    return Denied{Denial::port_taken, chip.error().detail, key_of(spec.id, "port")};
  }
  return bound;
}

net::Task<Reconfigured> Service::remove_all(std::vector<ChipId> ids) {
  std::vector<ChipPtr> chips;
  for (const auto& id : ids) {
    if (auto chip = find(id)) chips.push_back(std::move(chip));
  }
  for (const auto& chip : chips) begin_removal(chip);
  const auto until = Clock::now() + ending_patience;
  Reconfigured told;
  for (const auto& chip : chips) {
    const auto& id = chip->spec.id;
    while (find(id) == chip && Clock::now() < until) co_await chip->bell.wait_until(until);
    if (find(id) == chip) told.unfinished.push_back({id, "is fenced, and the ledger does not have its end yet"});
  }
  co_return told;
}

// Its assignment is left alone: neither its name nor its rules are the gateway's business.
void Service::take_on(const ChipPtr& chip, ChipSpec spec) {
  spec.port = chip->spec.port;
  chip->origin = ledger::ChipOrigin::configured;
  chip->arming = arming_after(chip->arming, chip->spec.connect, spec.connect);
  adopt(chip, std::move(spec));
  tasks_.spawn(record_chip(chip));
}

void Service::adopt(const ChipPtr& chip, ChipSpec spec) {
  const auto old = std::exchange(chip->spec, std::move(spec));
  if (chip->spec.max_whatsapp_sessions != old.max_whatsapp_sessions) {
    parts_.plane.limit_whatsapp(chip->index, chip->spec.max_whatsapp_sessions);
  }
  if (chip->spec.quota != old.quota) weigh_quota(chip);
  journal_.tell("chip.changed", *chip);
  // What has an assignment or is blocked stays so.
  if (chip->spec.connect != old.connect) connect_if_wished(chip);
}

void Service::welcome(const ChipPtr& chip) {
  tasks_.spawn(record_chip(chip));
  journal_.tell("chip.created", *chip, telemetry::JsonObject().add("port", chip->spec.port));
  connect_if_wished(chip);
}

// What was decided by options that hold no more.
void Service::heed_change(const ChipPtr& chip) {
  const bool capped = chip->trouble && chip->trouble->kind == ErrorKind::draws_capped;
  if (chip->phase == Phase::acquiring && capped) chip->retry_at = Clock::now();
  const bool looked_at = options_.life.verify.looking == Looking::on && chip->current &&
                         (chip->usable() || chip->phase == Phase::resuming);
  if (!looked_at || looker_.sees(chip->current->exits)) return;
  // Nobody could confirm it any more.
  chip->ending = {"config_changed", ErrorKind::fenced, {}};
  fire(chip, Event::lost);
}

void Service::take_on(const LifeOptions& life) {
  const bool sooner = life.verify.interval < options_.life.verify.interval;
  options_.life = life;
  pace_.change(life.draw.per_second);
  for (const auto& [id, chip] : chips_) heed_change(chip);
  if (!sooner) return;
  const auto now = Clock::now();
  for (const auto& [id, chip] : chips_) {
    if (!chip->usable()) continue;
    // Spread over the whole of it: they were not looked at in step before.
    const auto wait = life.verify.interval * static_cast<std::int64_t>(random_() % 1'000) / 1'000;
    chip->next_look = std::min(chip->next_look, now + wait);
  }
}

}  // namespace chipgate::lifecycle
