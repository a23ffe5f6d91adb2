// What a start finds, and how it goes on.
#include "chipgate/lifecycle/arming.hpp"
#include "chipgate/lifecycle/changing.hpp"
#include "chipgate/lifecycle/service.hpp"
#include "chipgate/telemetry/log.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace chipgate::lifecycle {
namespace {

// The chip was to have another assignment when the process ended in the middle of it.
bool wants_another(std::string_view reason) {
  constexpr std::array<std::string_view, 5> reasons{"rotated", "moved", "exit_lost", "endpoint_down", "config_changed"};
  return std::ranges::find(reasons, reason) != reasons.end();
}

}  // namespace

void Service::begin(const std::vector<ChipSpec>& configured, const ledger::Restored& restored) {
  reached_ = restored.last_written;
  for (const auto& spec : configured) add(spec, ledger::ChipOrigin::configured);
  for (const auto& row : restored.chips) {
    auto chip = find(row.id);
    if (!chip && row.origin == ledger::ChipOrigin::api) {
      chip = add({row.id, row.alias, row.port, row.connect, row.quota}, ledger::ChipOrigin::api);
    }
    if (chip) restore(chip, row);
  }
  const auto now = Clock::now();
  const auto wall = std::chrono::system_clock::now();
  for (const auto& [id, draws] : restored.recent_draws) {
    if (const auto chip = find(id)) {
      for (const auto at : draws) chip->pace.opened_at(now - std::max(WallTime::duration(0), wall - at));
    }
  }
  for (const auto& row : restored.live) {
    if (const auto chip = find(row.chip)) {
      restore_row(chip, row);
    } else {
      // Of a chip that the configuration names no more.
      tasks_.spawn(finish_row(nullptr, row, "chip_removed"));
    }
  }
  for (const auto& row : restored.chips) {
    if (find(row.id)) continue;
    tasks_.spawn([](Parts parts, ChipId id) -> net::Task<void> {
      const auto gone = co_await parts.ledger.delete_chip(id, std::chrono::system_clock::now());
      if (gone.has_error()) parts.log.error("chip_not_removed", {{"chip", id}, {"detail", gone.error().detail}});
    }(parts_, row.id));
  }
}

ChipPtr Service::add(ChipSpec spec, ledger::ChipOrigin origin) {
  const ChipIndex index(static_cast<std::uint32_t>(by_index_.size()));
  const auto port = parts_.plane.listen(index, spec.id, spec.port);
  if (port.has_error()) {
    throw std::runtime_error("the port " + std::to_string(spec.port) + " of chip " + spec.id.value() + ": " +
                             port.error().detail);
  }
  spec.port = *port;
  parts_.log.info("port_open", {{"chip", spec.id}, {"address", options_.proxy_host}, {"port", spec.port}});
  const auto chip = std::make_shared<Chip>(parts_.control, std::move(spec), index);
  chip->origin = origin;
  chip->arming = arming_at_first(chip->spec.connect);
  chip->since = std::chrono::system_clock::now();
  if (chip->spec.max_whatsapp_sessions) parts_.plane.limit_whatsapp(index, chip->spec.max_whatsapp_sessions);
  by_index_.push_back(chip);
  chips_.emplace(chip->spec.id, chip);
  return chip;
}

void Service::restore(const ChipPtr& chip, const ledger::ChipRow& row) {
  // Ports and aliases may have changed hands among chips: all give up theirs before any takes its new one.
  if (row.port != chip->spec.port || row.alias != chip->spec.alias) vacating_.push_back(chip);
  chip->arming = arming_after(row.arming, row.connect, chip->spec.connect);
}

void Service::restore_row(const ChipPtr& chip, const ledger::AssignmentRow& row) {
  if (row.state == ledger::AssignmentState::pending) {
    tasks_.spawn(finish_row(nullptr, row, "abandoned"));
    return;
  }
  if (row.closing_at) return finish(chip, row, row.release_reason);
  auto assignment = drawer_.resume(row, chip->epoch);
  // One that no echo can confirm would be withheld for ever.
  const bool looks = options_.life.verify.looking == Looking::on;
  if (!assignment || (looks && !looker_.sees(assignment->exits))) return finish(chip, row, "config_changed");
  const auto age = std::max(WallTime::duration(0), std::chrono::system_clock::now() - row.verified_at);
  assignment->opened = Clock::now();
  assignment->verified = Clock::now() - age;
  chip->current = std::move(assignment);
  chip->phase = Phase::resuming;
  chip->next_look = Clock::now();
}

void Service::finish(const ChipPtr& chip, const ledger::AssignmentRow& row, std::string reason) {
  // What was wished of the chip while its assignment ended stands in its arming.
  const bool armed = chip->arming == ledger::Arming::armed;
  const bool removed = reason == "chip_removed" && chip->origin == ledger::ChipOrigin::api;
  chip->phase = removed ? Phase::removing : armed && wants_another(reason) ? Phase::rotating : Phase::releasing;
  tasks_.spawn(finish_row(chip, row, std::move(reason)));
}

// Nothing of it can be open: its process is gone.
net::Task<void> Service::finish_row(ChipPtr chip, ledger::AssignmentRow row, std::string reason) {
  Bell bell(parts_.control);
  for (;;) {
    const auto closed =
        co_await parts_.ledger.close({row.id, std::chrono::system_clock::now(), reason, row.exposure, row.traffic});
    if (closed.has_value()) break;
    co_await bell.wait_until(Clock::now() + options_.life.draw.retry_min);
  }
  parts_.log.info("ended", {{"chip", row.chip}, {"session", row.session}, {"reason", reason}});
  if (!chip) co_return;
  fire(chip, Event::closed);
  connect_if_wished(chip);
}

void Service::start() {
  next_retention_ = Clock::now();
  tasks_.spawn(restore_traffic());
  // The ledger takes them in this order.
  for (const auto& chip : vacating_) vacate(chip);
  vacating_.clear();
  for (const auto& [id, chip] : chips_) {
    tasks_.spawn(record_chip(chip));
    if (chip->phase == Phase::resuming) {
      parts_.log.info("resumed", {{"chip", id}, {"session", chip->current->session}});
      if (options_.life.verify.looking == Looking::off) fire(chip, Event::confirmed);
    }
    connect_if_wished(chip);
  }
  tick();
}

// As it is when this runs: what is told the ledger meanwhile, as its arming, must not be undone.
net::Task<void> Service::record_chip(ChipPtr chip) {
  const auto changing = co_await Changing::begin(chip);
  co_await write_chip(chip);
}

// By whoever changes the chip.
net::Task<void> Service::write_chip(ChipPtr chip) {
  if (chip->leaves()) co_return;
  auto row = row_of(*chip);
  const auto arming = row.arming;
  chip->arming_recorded.reset();
  const bool put = co_await put_row(std::move(row));
  if (put) chip->arming_recorded = arming;
}

void Service::vacate(const ChipPtr& chip) {
  auto row = row_of(*chip);
  row.port = 0;
  row.alias.clear();
  tasks_.spawn(record_row(std::move(row)));
}

net::Task<void> Service::record_row(ledger::ChipRow row) { (void)co_await put_row(std::move(row)); }

net::Task<bool> Service::put_row(ledger::ChipRow row) {
  const auto id = row.id;
  const auto put = co_await parts_.ledger.put_chip(std::move(row));
  if (put.has_error()) {
    parts_.log.error("chip_not_recorded", {{"chip", id}, {"detail", put.error().detail}});
  } else if (put->verdict == ledger::PutChip::port_taken || put->verdict == ledger::PutChip::alias_taken) {
    parts_.log.error("chip_not_recorded",
                     {{"chip", id}, {"detail", "its port or alias is chip " + put->holder + "'s"}});
  } else {
    co_return true;
  }
  co_return false;
}

void Service::connect_if_wished(const ChipPtr& chip) {
  if (connects_by_itself(*chip) && chip->phase == Phase::released) fire(chip, Event::connect);
}

void Service::stop(std::function<void()> done) {
  stopping_ = true;
  ticker_.cancel();
  tasks_.spawn([](Service& self, std::function<void()> then) -> net::Task<void> {
    co_await self.flush_traffic();
    then();
  }(*this, std::move(done)));
}

}  // namespace chipgate::lifecycle
