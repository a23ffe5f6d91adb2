// Chips that come and change while chipgate runs.
#include "chipgate/lifecycle/service.hpp"

#include <algorithm>
#include <set>

namespace chipgate::lifecycle {
namespace {

bool has_assignment(const Chip& chip) { return chip.phase != Phase::released && chip.phase != Phase::blocked; }

}  // namespace

net::Task<Wish<PutAnswer>> Service::put(ChipSpec spec) {
  if (auto denied = complaint(spec)) co_return std::move(*denied);
  const auto chip = find(spec.id);
  if (!chip) co_return co_await create(std::move(spec));
  if (chip->phase == Phase::removing || chip->phase == Phase::removed)
    co_return Denied{Denial::not_released, "the chip is being removed", "id"};
  co_return co_await change(chip, std::move(spec));
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
    if (spec.port != 0 && other->spec.port == spec.port) {
      return Denied{Denial::port_taken, "the port is chip " + id.value() + "'s", "port"};
    }
    if (!spec.alias.empty() && other->spec.alias == spec.alias) {
      return Denied{Denial::alias_taken, "the alias is chip " + id.value() + "'s", "alias"};
    }
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
  const auto put = co_await parts_.ledger.put_chip(row_of(*chip));
  if (put.has_error()) {
    // Nothing is done by half: a chip that a restart would not know is no chip.
    fire(chip, Event::remove);
    co_return Denied{Denial::ledger_unavailable, put.error().detail, {}};
  }
  journal_.tell("chip.created", *chip, telemetry::JsonObject().add("port", chip->spec.port));
  if (chip->spec.connect == ledger::ConnectMode::on_start) fire(chip, Event::connect);
  co_return PutAnswer{Put::created, view(*chip)};
}

net::Task<Wish<PutAnswer>> Service::change(ChipPtr chip, ChipSpec spec) {
  if (spec.port == 0) spec.port = chip->spec.port;
  const auto& old = chip->spec;
  const bool same_port = spec.port == old.port;
  if (same_port && spec.alias == old.alias && spec.connect == old.connect && spec.quota == old.quota) {
    co_return PutAnswer{Put::unchanged, view(*chip)};
  }
  if (!same_port && has_assignment(*chip)) {
    co_return Denied{Denial::not_released, "release the chip before its port is changed", "port"};
  }
  if (chip->origin == ledger::ChipOrigin::configured) {
    co_return Denied{Denial::configured, "the chip stands in the configuration: change it there", "id"};
  }
  auto row = row_of(*chip);
  row.port = spec.port;
  row.alias = spec.alias;
  row.connect = spec.connect;
  row.quota = spec.quota;
  const auto put = co_await parts_.ledger.put_chip(row);
  if (put.has_error()) co_return Denied{Denial::ledger_unavailable, put.error().detail, {}};
  if (!same_port) {
    const ChipIndex index(static_cast<std::uint32_t>(by_index_.size()));
    const auto bound = parts_.plane.listen(index, chip->spec.id, spec.port);
    if (bound.has_error()) {
      (void)co_await parts_.ledger.put_chip(row_of(*chip));
      co_return Denied{Denial::port_taken, bound.error().detail, "port"};
    }
    by_index_.push_back(chip);
    by_index_.at(chip->index.value()).reset();
    parts_.plane.close(chip->index, [] {});
    // The plane counts from nothing for a new port.
    chip->meter.clients_flushed = {};
    chip->index = index;
    chip->epoch = Epoch(1);
  }
  const bool starts = spec.connect == ledger::ConnectMode::on_start && old.connect != ledger::ConnectMode::on_start;
  chip->spec = std::move(spec);
  journal_.tell("chip.changed", *chip);
  if (starts && chip->arming == ledger::Arming::armed) fire(chip, Event::connect);
  co_return PutAnswer{Put::changed, view(*chip)};
}

}  // namespace chipgate::lifecycle
