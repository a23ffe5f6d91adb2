// What is due.
#include "chipgate/lifecycle/service.hpp"
#include "chipgate/telemetry/log.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>

namespace chipgate::lifecycle {
namespace {

constexpr Milliseconds tick_every{100};
constexpr Milliseconds keep_every{1'000};
constexpr Milliseconds flush_every{30'000};
// Longer than keep_every, since a renewal asks for its turn no more often.
constexpr Milliseconds turn_lapses{2'000};
constexpr std::chrono::minutes retain_every{10};
constexpr std::chrono::hours clock_settles{1};
// More than one WhatsApp session on a chip is told once for each number of them.
constexpr std::uint32_t one_session = 1;

}  // namespace

void Service::tick() {
  const auto now = Clock::now();
  const bool second = now - last_second_ >= keep_every;
  if (second) {
    clocks_.heed();
    reached_ = std::max(reached_, clocks_.wall());
  }
  // A chip may go while it is attended to.
  const auto all = by_index_;
  for (const auto& chip : all) {
    if (!chip) continue;
    attend(chip, now);
    if (second && (chip->phase == Phase::active || chip->phase == Phase::resuming)) keep(chip, now);
  }
  if (second) {
    last_second_ = now;
    survey_crowds();
    heed_retention(now);
  }
  if (now - last_flush_ >= flush_every) tasks_.spawn(flush_traffic());
  ticker_.expires_after(tick_every);
  ticker_.async_wait([this](boost::system::error_code error) {
    if (!error && !stopping_) tick();
  });
}

void Service::attend(const ChipPtr& chip, TimePoint now) {
  if (chip->phase == Phase::acquiring) {
    if (chip->drawing == Chip::Busy::yes || !chip->retry_at || *chip->retry_at > now || !traffic_known_) return;
    heed_quota(chip);
    if (chip->phase != Phase::acquiring) return;
    const auto capped = chip->pace.capped_until(options_.life.draw, now);
    if (capped > now && chip->urgency == Urgency::normal) {
      chip->trouble = Error{ErrorKind::draws_capped};
      chip->retry_at = capped;
      return refuse_waiting(chip, *chip->trouble);
    }
    if (const auto until = drawer_.breaker().wait(now)) {
      chip->trouble = drawer_.breaker().error();
      chip->retry_at = behind_breaker(*until);
      return tell_waiting(chip, now);
    }
    if (has_its_turn(chip, now)) begin(chip, chip->drawing, &Service::draw_round);
    return;
  }
  const bool looked_at = chip->usable() || chip->phase == Phase::resuming;
  if (!looked_at || options_.life.verify.looking == Looking::off) return;
  if (chip->looking == Chip::Busy::no && now >= chip->next_look) attend_look(chip, now);
  if (chip->usable() && now - chip->current->verified > options_.life.verify.max_age) {
    parts_.log.warn("exit_unconfirmed", {{"chip", chip->spec.id}});
    fire(chip, Event::doubted);
  }
}

void Service::attend_look(const ChipPtr& chip, TimePoint now) {
  auto& breaker = drawer_.breaker();
  if (const auto until = breaker.wait(now)) {
    chip->next_look = behind_breaker(*until);
    if (chip->phase == Phase::resuming) chip->trouble = breaker.error();
    return tell_waiting(chip, now);
  }
  if (chip->phase == Phase::resuming && !has_its_turn(chip, now)) return;
  begin(chip, chip->looking, &Service::look_at);
}

// Many may be due at once: after a start, an outage, or a jump of the clock. Those that somebody waits for or uses take
// a turn, the others what is left. The pace is the gateway's and the echoes', so where nobody looks there is none; and
// a canary goes before all.
bool Service::has_its_turn(const ChipPtr& chip, TimePoint now) {
  if (options_.life.verify.looking == Looking::off || drawer_.breaker().error()) return true;
  // One that an outage has let pass is no turn any more: all would have theirs when it ends.
  if (chip->turn && *chip->turn + turn_lapses < now) chip->turn.reset();
  const auto usage = parts_.plane.usage(chip->index);
  const bool matters = usage.clients_held > 0 || usage.tunnels_open > 0 || chip->awaited > 0;
  if (!chip->turn && !matters) return pace_.take_spare(now);
  if (!chip->turn) chip->turn = pace_.reserve(now);
  if (*chip->turn > now) return false;
  chip->turn.reset();
  return true;
}

// Not all at once when it closes.
TimePoint Service::behind_breaker(TimePoint until) {
  return until + Milliseconds(static_cast<std::int64_t>(random_() % 100));
}

void Service::take_ticket(const ChipPtr& chip) {
  chip->canary = drawer_.breaker().ticket();
  chip->company = drawer_.breaker().company();
}

// Marked here and not where the coroutine begins: it does so later, and an ending waits for it from now on.
void Service::begin(const ChipPtr& chip, Chip::Busy& what, net::Task<void> (Service::*work)(ChipPtr, Epoch)) {
  what = Chip::Busy::yes;
  take_ticket(chip);
  ++chip->working;
  tasks_.spawn((this->*work)(chip, chip->epoch));
}

void Service::keep(const ChipPtr& chip, TimePoint now) {
  const auto usage = parts_.plane.usage(chip->index);
  const auto& current = *chip->current;
  // It is not a client's fault that it has no tunnel.
  if (usage.clients_held > 0) chip->wanted_at = now;
  const auto quiet = now - std::max({usage.last_used, current.opened, chip->wanted_at});
  for (const auto limit : {options_.life.keep.release_after, options_.life.keep.unused}) {
    if (limit == Milliseconds(0) || usage.tunnels_open > 0 || quiet < limit) continue;
    chip->ending = {"unused", ErrorKind::released, {}};
    // Without a client that could wake it, a manual chip waits for its operator.
    if (chip->spec.connect == ledger::ConnectMode::manual) {
      chip->arming = ledger::Arming::disarmed;
      tasks_.spawn(insist_on_arming(chip));
    }
    return fire(chip, Event::unused);
  }
  if (chip->phase != Phase::active) return;
  // A heartbeat is a look: it uses the session, and says more than any other request.
  const auto used = std::max({usage.last_used, current.opened, current.verified});
  if (wants_heartbeat(parts_.provider.idle_limit().length, now - used, chip->failed_looks)) {
    chip->next_look = std::min(chip->next_look, now);
  }
  const auto lifetime = parts_.provider.absolute_lifetime().length;
  if (lifetime == Milliseconds(0) || now < chip->renew_at) return;
  const auto age = std::chrono::system_clock::now() - current.assigned_at;
  if (age < lifetime - renewal_margin(lifetime)) return;
  if (chip->renewing == Chip::Busy::yes) return;
  if (const auto until = drawer_.breaker().wait(now)) {
    chip->renew_at = *until;
  } else if (has_its_turn(chip, now)) {
    take_ticket(chip);
    fire(chip, Event::renew_due);
  }
}

// After a jump nobody knows what the sessions did meanwhile.
void Service::clock_jumped(Milliseconds by) {
  parts_.log.warn("clock_jumped", {{"seconds", by}});
  // What was not over before it jumped is not over now.
  // The ledger's own time may have been ahead: then only what is beyond it is a jump to the ledger.
  const auto before = std::max(clocks_.wall() - by, reached_);
  const auto past = std::chrono::duration_cast<Milliseconds>(clocks_.wall() - before);
  if (past > Milliseconds(0)) tasks_.spawn(postpone_quarantines(past, before));
  // A clock that is wrong must not decide what is old; mostly it is set right again.
  next_retention_ = std::max(next_retention_, Clock::now() + clock_settles);
  if (options_.life.verify.looking == Looking::off) return;
  for (const auto& [id, chip] : chips_) fire(chip, Event::doubted);
}

net::Task<void> Service::postpone_quarantines(Milliseconds by, WallTime ended_before) {
  Bell bell(parts_.control);
  for (;;) {
    const auto written = co_await parts_.ledger.postpone_quarantines(by, ended_before);
    if (written.has_value() || stopping_) co_return;
    parts_.log.error("quarantines_not_postponed", {{"detail", written.error().detail}});
    co_await bell.wait_until(Clock::now() + options_.life.draw.retry_min);
  }
}

void Service::heed_retention(TimePoint now) {
  if (options_.retention == Milliseconds(0) || now < next_retention_) return;
  next_retention_ = now + retain_every;
  tasks_.spawn(retain());
}

net::Task<void> Service::retain() {
  const auto before = clocks_.wall() - options_.retention;
  // A start adds up what the month has carried, for its quotas.
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(clocks_.wall()));
  const WallTime month = std::chrono::sys_days(today.year() / today.month() / 1);
  const ledger::Retention retention{before, before, std::min(before, month)};
  const auto done = co_await parts_.ledger.retain(retention);
  if (done.has_error()) parts_.log.error("history_not_trimmed", {{"detail", done.error().detail}});
}

void Service::survey_crowds() {
  parts_.plane.crowds([this](const std::vector<Crowd>& crowds) {
    std::map<ChipIndex, std::uint32_t> found;
    for (const auto& crowd : crowds) found[crowd.chip] = crowd.whatsapp_sessions;
    for (const auto& [id, chip] : chips_) {
      const auto place = found.find(chip->index);
      const auto now = place == found.end() ? 0 : place->second;
      if (now > one_session && now > chip->crowd) {
        parts_.log.warn("two_numbers_on_one_port", {{"chip", id}, {"whatsapp_sessions", now}});
        journal_.tell("chip.crowded", *chip, telemetry::JsonObject().add("whatsapp_sessions", now));
      }
      chip->crowd = now;
    }
  });
}

}  // namespace chipgate::lifecycle
