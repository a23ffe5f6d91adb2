// Before an absolute lifetime ends: the next assignment is drawn, and takes over at a quiet moment.
#include "chipgate/lifecycle/plane_tasks.hpp"
#include "chipgate/lifecycle/service.hpp"

#include <algorithm>

namespace chipgate::lifecycle {
namespace {

// WhatsApp sends something every 20 to 30 s; five silent seconds are between two of them.
constexpr Milliseconds quiet{5'000};
constexpr Milliseconds poll{250};

}  // namespace

// Called off where the chip is fenced, or where nobody knows any more what its sessions did.
bool Service::renews(const Chip& chip, Epoch epoch) const {
  return chip.epoch == epoch && chip.phase == Phase::renewing && !stopping_;
}

net::Task<void> Service::renew(ChipPtr chip) {
  ++chip->working;
  chip->renewing = Chip::Busy::yes;
  const auto canary = chip->canary;
  const auto epoch = chip->epoch;
  const Epoch next_epoch(epoch.value() + 1);
  auto drawn = co_await drawer_.round(chip, epoch, next_epoch, ledger::AssignmentState::pending);
  const bool unasked =
      !renews(*chip, epoch) || (drawn.has_error() && info(drawn.error().kind).fault == Fault::chipgate);
  if (unasked) drawer_.breaker().called_off(canary);
  if (drawn.has_value()) {
    chip->successor = std::move(*drawn);
    const auto failure = co_await take_over(chip, epoch);
    if (failure && chip->epoch == epoch && !stopping_) {
      co_await close_row(chip, chip->successor->id, {.reason = "abandoned"}, {});
      chip->successor.reset();
      renewal_failed(chip, epoch, *failure);
    }
  } else {
    renewal_failed(chip, epoch, drawn.error());
  }
  chip->renewing = Chip::Busy::no;
  --chip->working;
  chip->bell.ring();
}

void Service::renewal_failed(const ChipPtr& chip, Epoch epoch, const Error& why) {
  // Also after one that was called off: each costs a session, and keeps an address from others.
  const auto lifetime = parts_.provider.absolute_lifetime().length;
  chip->renew_at = Clock::now() + std::max<Milliseconds>(options_.life.draw.retry_min, renewal_margin(lifetime) / 10);
  if (!renews(*chip, epoch)) return;
  chip->trouble = why;
  fire(chip, Event::renew_failed);
}

// Nothing, or why the successor is of no use.
net::Task<std::optional<Error>> Service::take_over(ChipPtr chip, Epoch epoch) {
  for (;;) {
    const bool quiet_now = co_await await_quiet(chip, epoch);
    if (!quiet_now) co_return Error{ErrorKind::fenced};
    if (options_.life.verify.looking == Looking::off) break;
    // Nothing used its session while it waited, and what nobody uses loses its exit unseen.
    const auto verdict = co_await looker_.verify(chip, chip->successor->route, chip->successor->exits);
    if (!renews(*chip, epoch)) co_return Error{ErrorKind::fenced};
    count_look(verdict);
    if (verdict.what == LookVerdict::other) co_return Error{ErrorKind::exit_moved, verdict.address->text()};
    if (verdict.what == LookVerdict::same) {
      chip->successor->verified = Clock::now();
      chip->successor->verified_at = std::chrono::system_clock::now();
      break;
    }
    const auto error = verdict.error.value_or(Error{ErrorKind::exit_unconfirmed});
    drawer_.heard(chip->successor->endpoint, error);
    // What says nothing of its session is no reason to throw it away.
    if (!Breaker::concerns(error.kind) || Clock::now() >= latest_change(*chip)) co_return error;
    const auto again = std::max(drawer_.breaker().retry_at(), Clock::now() + options_.life.draw.retry_min);
    while (renews(*chip, epoch) && Clock::now() < again) co_await chip->bell.wait_until(again);
  }
  co_await change_places(chip);
  co_return std::nullopt;
}

TimePoint Service::latest_change(const Chip& chip) const {
  const auto lifetime = parts_.provider.absolute_lifetime().length;
  const auto left =
      chip.current->assigned_at + lifetime - renewal_margin(lifetime) / 4 - std::chrono::system_clock::now();
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(left);
}

net::Task<bool> Service::await_quiet(ChipPtr chip, Epoch epoch) {
  const auto until = latest_change(*chip);
  while (renews(*chip, epoch)) {
    const auto now = Clock::now();
    const auto usage = parts_.plane.usage(chip->index);
    if (now >= until || usage.tunnels_open == 0 || now - usage.last_used >= quiet) co_return true;
    co_await chip->bell.wait_until(std::min(until, now + poll));
  }
  co_return false;
}

// What ends the chip meanwhile waits until this is done, and then closes the rows that are open.
net::Task<void> Service::change_places(ChipPtr chip) {
  const auto epoch = chip->epoch = chip->successor->route->epoch;
  co_await fence(parts_.plane, chip->index, epoch, ErrorKind::renewed);
  chip->admits = false;
  // The row that is to close as released must not close as renewed, nor its successor count as the chip's last.
  if (chip->epoch != epoch || stopping_) co_return;
  const auto& old = *chip->current;
  const auto now = carried(*chip);
  const ledger::Traffic traffic{now.up - old.before.up, now.down - old.before.down};
  const ledger::Swap swap{{old.id, std::chrono::system_clock::now(), "renewed", {}, traffic}, chip->successor->id};
  for (;;) {
    const auto swapped = co_await parts_.ledger.swap(swap);
    if (swapped.has_value()) break;
    chip->not_recorded(parts_.log, swapped.error());
    // An ending closes both rows by itself.
    if (chip->epoch != epoch || stopping_) co_return;
    co_await chip->bell.wait_until(Clock::now() + options_.life.draw.retry_min);
  }
  chip->recorded = Recorded::yes;
  chip->current = std::exchange(chip->successor, std::nullopt);
  chip->current->opened = Clock::now();
  chip->current->before = now;
  chip->observed = chip->current->exits.v4 ? chip->current->exits.v4 : chip->current->exits.v6;
  chip->pace.succeeded(Clock::now());
  if (chip->epoch != epoch) co_return;
  fire(chip, Event::renewed);
  telemetry::JsonObject body;
  body.add("assignment_id", chip->current->id.value()).add("session", chip->current->session);
  journal_.tell("chip.renewed", *chip, body);
}

}  // namespace chipgate::lifecycle
