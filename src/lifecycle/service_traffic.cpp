// Bytes by chip and day, and what they may be at most.
#include "chipgate/lifecycle/service.hpp"
#include "chipgate/telemetry/log.hpp"

namespace chipgate::lifecycle {
namespace {

std::string day_of(WallTime at) { return rfc3339(at).substr(0, std::string_view("2026-01-31").size()); }

ledger::Traffic difference(const ledger::Traffic& now, const ledger::Traffic& before) {
  return {now.up - before.up, now.down - before.down};
}

void tally(ledger::Traffic& to, const ledger::Traffic& more) {
  to.up += more.up;
  to.down += more.down;
}

std::uint64_t sum(const ledger::Traffic& traffic) { return traffic.up + traffic.down; }

// "2026-01" of "2026-01-31"
std::string_view month_of(std::string_view day) { return day.substr(0, 7); }

}  // namespace

ledger::Traffic Service::carried(const Chip& chip) const {
  const auto usage = parts_.plane.usage(chip.index);
  const auto& before = chip.meter.earlier_ports;
  return {before.up + usage.bytes_up, before.down + usage.bytes_down};
}

net::Task<void> Service::restore_traffic() {
  day_ = day_of(clocks_.wall());
  const auto first = std::string(month_of(day_)) + "-01";
  Bell bell(parts_.control);
  std::vector<ledger::TrafficRow> rows;
  for (;;) {
    auto read = co_await parts_.ledger.traffic(std::nullopt, first, day_);
    if (read.has_value()) {
      rows = std::move(*read);
      break;
    }
    if (stopping_) co_return;
    parts_.log.error("traffic_not_known", {{"detail", read.error().detail}});
    for (const auto& [id, chip] : chips_) {
      // It may have used up its quota: nothing is drawn before that is known.
      if (chip->phase != Phase::acquiring) continue;
      chip->trouble = read.error();
      tell_waiting(chip, Clock::now());
    }
    co_await bell.wait_until(Clock::now() + options_.life.draw.retry_min);
  }
  // What it has written since must not be counted twice, and nothing is to begin.
  if (stopping_) co_return;
  for (const auto& row : rows) {
    const auto chip = find(row.chip);
    if (!chip) continue;
    for (const auto& part : {row.clients, row.own}) {
      tally(chip->meter.month, part);
      if (row.day == day_) tally(chip->meter.today, part);
    }
  }
  traffic_known_ = true;
  for (const auto& [id, chip] : chips_) {
    heed_quota(chip);
    attend(chip, Clock::now());
  }
}

// One at a time. What the ledger could not take is added the next time.
net::Task<void> Service::flush_traffic() {
  last_flush_ = Clock::now();
  // What is written before that is read would be counted twice.
  if (flushing_ || (!traffic_known_ && !stopping_)) co_return;
  flushing_ = true;
  struct Part {
    ChipPtr chip;
    ledger::Traffic clients;
    ledger::Traffic own;
  };
  std::vector<Part> parts;
  std::vector<ledger::TrafficRow> rows;
  const auto day = day_of(clocks_.wall());
  for (const auto& [id, chip] : chips_) {
    Part part{chip, carried(*chip), chip->meter.own};
    const auto clients = difference(part.clients, chip->meter.clients_flushed);
    const auto own = difference(part.own, chip->meter.own_flushed);
    if (sum(clients) + sum(own) == 0) continue;
    rows.push_back({id, day, clients, own});
    parts.push_back(std::move(part));
  }
  if (!rows.empty()) {
    const auto written = co_await parts_.ledger.add_traffic(rows);
    if (written.has_error()) {
      parts_.log.error("traffic_not_recorded", {{"detail", written.error().detail}});
      flushing_ = false;
      co_return;
    }
  }
  if (day != day_) {
    const bool new_month = month_of(day) != month_of(day_);
    for (const auto& [id, chip] : chips_) {
      chip->meter.today = {};
      if (new_month) chip->meter.month = {};
      weigh_quota(chip);
    }
    day_ = day;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto& meter = parts[i].chip->meter;
    meter.clients_flushed = parts[i].clients;
    meter.own_flushed = parts[i].own;
    for (const auto& more : {rows[i].clients, rows[i].own}) {
      tally(meter.today, more);
      tally(meter.month, more);
    }
    heed_quota(parts[i].chip);
  }
  flushing_ = false;
}

bool Service::has_used(const Chip& chip, std::uint64_t percent) {
  const auto over = [&](std::uint64_t used, std::uint64_t limit) {
    return limit != 0 && used >= limit / 100 * percent;
  };
  return over(sum(chip.meter.today), chip.spec.quota.day) || over(sum(chip.meter.month), chip.spec.quota.month);
}

void Service::heed_quota(const ChipPtr& chip) {
  constexpr std::uint64_t warn_at = 80;
  if (chip->quota_told == Chip::QuotaTold::nothing && has_used(*chip, warn_at)) {
    chip->quota_told = Chip::QuotaTold::warned;
    journal_.tell("chip.quota_warning", *chip);
  }
  // Where nothing can be stopped, the next count that finds something does it; and a block that an operator is to lift
  // must not become one that the next day lifts.
  const bool waits = chip->phase == Phase::acquiring && chip->drawing == Chip::Busy::no;
  const bool stops = chip->usable() || chip->phase == Phase::resuming || chip->phase == Phase::rotating;
  if (!(waits || stops) || chip->quota_told == Chip::QuotaTold::reached || !has_used(*chip, 100)) return;
  chip->quota_told = Chip::QuotaTold::reached;
  journal_.tell("chip.quota_reached", *chip);
  chip->trouble = Error{ErrorKind::quota_reached};
  chip->ending = {"quota", ErrorKind::quota_reached, {}};
  fire(chip, waits ? Event::gave_up : Event::forbidden);
}

// Another limit, or another day: a chip that was stopped goes on where it may again.
void Service::weigh_quota(const ChipPtr& chip) {
  const bool stopped = chip->phase == Phase::blocked || chip->phase == Phase::blocking;
  const bool stopped_by_it = stopped && chip->trouble && chip->trouble->kind == ErrorKind::quota_reached;
  if (stopped_by_it && has_used(*chip, 100)) return;
  chip->quota_told = Chip::QuotaTold::nothing;
  heed_quota(chip);
  if (!stopped_by_it) return;
  chip->trouble.reset();
  fire(chip, connects_by_itself(*chip) ? Event::connect : Event::release);
}

}  // namespace chipgate::lifecycle
