// Chips that come and change while chipgate runs.
#include "chipgate/lifecycle/arming.hpp"
#include "chipgate/lifecycle/changing.hpp"
#include "chipgate/lifecycle/service.hpp"

#include <algorithm>
#include <set>

namespace chipgate::lifecycle {
namespace {

Denied leaving() { return {Denial::not_released, "the chip is being removed", "id"}; }

Denied the_files() { return {Denial::configured, "the chip stands in the configuration: change it there", "id"}; }

Denied bound_to_its_port() { return {Denial::not_released, "release the chip before its port is changed", "port"}; }

bool may_move(const Chip& chip) { return chip.phase == Phase::released || chip.phase == Phase::blocked; }

Denied port_of(const std::string& holder) { return {Denial::port_taken, "the port is chip " + holder + "'s", "port"}; }

Denied alias_of(const std::string& holder) {
  return {Denial::alias_taken, "the alias is chip " + holder + "'s", "alias"};
}

// What the ledger has against it: another wish may have been quicker than this one was to ask.
std::optional<Denied> refusal_of(const Result<ledger::PutChipAnswer>& put) {
  if (put.has_error()) return Denied{Denial::ledger_unavailable, put.error().detail, {}};
  if (put->verdict == ledger::PutChip::port_taken) return port_of(put->holder);
  if (put->verdict == ledger::PutChip::alias_taken) return alias_of(put->holder);
  return std::nullopt;
}

}  // namespace

// One change of a chip at a time: each begins with what the one before has made of it.
net::Task<Wish<PutAnswer>> Service::put(ChipSpec spec) {
  for (;;) {
    if (auto denied = complaint(spec)) co_return std::move(*denied);
    const auto chip = find(spec.id);
    if (!chip) co_return co_await create(std::move(spec));
    if (chip->leaves()) co_return leaving();
    if (chip->changing == Chip::Busy::no) co_return co_await change(chip, std::move(spec));
    co_await chip->bell.wait_until(Clock::now() + std::chrono::seconds(1));
  }
}

std::optional<Denied> Service::complaint(const ChipSpec& spec) const {
  if (auto why = parts_.provider.complaint(spec.id)) return Denied{Denial::bad_id, std::move(*why), "id"};
  if (spec.port != 0 && (spec.port < options_.ports.first || spec.port > options_.ports.last)) {
    return Denied{Denial::port_out_of_range,
                  "ports are " + std::to_string(options_.ports.first) + " to " + std::to_string(options_.ports.last),
                  "port"};
  }
  for (const auto& [id, other] : chips_) {
    if (id == spec.id) continue;
    if (spec.port != 0 && other->spec.port == spec.port) return port_of(id.value());
    if (!spec.alias.empty() && other->spec.alias == spec.alias) return alias_of(id.value());
  }
  return std::nullopt;
}

std::optional<std::uint16_t> Service::free_port() const {
  std::set<std::uint16_t> taken;
  for (const auto& [id, chip] : chips_) taken.insert(chip->spec.port);
  for (std::uint32_t port = options_.ports.first; port <= options_.ports.last; ++port) {
    if (!taken.contains(static_cast<std::uint16_t>(port))) return static_cast<std::uint16_t>(port);
  }
  return std::nullopt;
}

net::Task<Wish<PutAnswer>> Service::create(ChipSpec spec) {
  if (spec.port == 0) {
    const auto port = free_port();
    if (!port) co_return Denied{Denial::port_taken, "every port of the range is taken", "port"};
    spec.port = *port;
  }
  ChipPtr chip;
  try {
    chip = add(std::move(spec), ledger::ChipOrigin::api);
  } catch (const std::runtime_error& error) {
    co_return Denied{Denial::port_taken, error.what(), "port"};
  }
  const Changing changing(chip);
  if (auto refused = refusal_of(co_await parts_.ledger.put_chip(row_of(*chip)))) {
    // Nothing is done by half: a chip that a restart would not know is no chip.
    fire(chip, Event::remove);
    co_return std::move(*refused);
  }
  journal_.tell("chip.created", *chip, telemetry::JsonObject().add("port", chip->spec.port));
  connect_if_wished(chip);
  co_return PutAnswer{Put::created, view(*chip)};
}

net::Task<Wish<PutAnswer>> Service::change(ChipPtr chip, ChipSpec spec) {
  if (spec.port == 0) spec.port = chip->spec.port;
  const auto& old = chip->spec;
  const bool same_port = spec.port == old.port;
  if (same_port && spec.alias == old.alias && spec.connect == old.connect && spec.quota == old.quota) {
    co_return PutAnswer{Put::unchanged, view(*chip)};
  }
  if (!same_port && !may_move(*chip)) co_return bound_to_its_port();
  if (chip->origin == ledger::ChipOrigin::configured) co_return the_files();
  // First what may fail and can be undone: a port that is written and cannot be bound would fail the next start.
  std::optional<ChipIndex> place;
  if (!same_port) {
    auto bound = bind_beside(*chip, spec.port);
    if (bound.has_error()) co_return Denied{Denial::port_taken, bound.error().detail, "port"};
    place = *bound;
  }
  const Changing changing(chip);
  auto row = row_of(*chip);
  row.port = spec.port;
  row.alias = spec.alias;
  row.connect = spec.connect;
  row.quota = spec.quota;
  row.arming = arming_after(chip->arming, old.connect, spec.connect);
  const auto arming = row.arming;
  const auto releases = chip->releases;
  chip->arming_recorded.reset();
  auto refused = refusal_of(co_await parts_.ledger.put_chip(std::move(row)));
  // A reload or a removal was quicker.
  if (!refused && chip->leaves()) refused = leaving();
  if (!refused && chip->origin == ledger::ChipOrigin::configured) refused = the_files();
  // A client or its operator was quicker than the ledger.
  if (!refused && place && !may_move(*chip)) refused = bound_to_its_port();
  if (refused) {
    if (place) parts_.plane.close(*place, [] {});
    co_await write_chip(chip);
    co_return std::move(*refused);
  }
  chip->arming_recorded = arming;
  // A release that came meanwhile is written next.
  if (chip->releases == releases) chip->arming = arming_after(chip->arming, old.connect, spec.connect);
  if (place) move_to(chip, *place);
  adopt(chip, std::move(spec));
  // Those who came to the port before it was the chip's were told of to nobody.
  if (place && parts_.plane.usage(*place).clients_held > 0) wanted(*place);
  co_return PutAnswer{Put::changed, view(*chip)};
}

// Clients may come to it at once, and are held; nobody's chip is there yet.
Result<ChipIndex> Service::bind_beside(const Chip& chip, std::uint16_t port) {
  const ChipIndex index(static_cast<std::uint32_t>(by_index_.size()));
  const auto bound = parts_.plane.listen(index, chip.spec.id, port);
  if (bound.has_error()) return bound.error();
  by_index_.emplace_back();
  return index;
}

void Service::move_to(const ChipPtr& chip, ChipIndex place) {
  // The plane counts from nothing for a new port, and forgets at once what the old one carried.
  chip->meter.earlier_ports = carried(*chip);
  by_index_.at(place.value()) = chip;
  by_index_.at(chip->index.value()).reset();
  parts_.plane.close(chip->index, [] {});
  chip->index = place;
  chip->epoch = Epoch(1);
  if (chip->spec.max_whatsapp_sessions) parts_.plane.limit_whatsapp(place, chip->spec.max_whatsapp_sessions);
}

}  // namespace chipgate::lifecycle
