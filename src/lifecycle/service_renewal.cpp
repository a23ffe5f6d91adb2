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

net::Task<void> Service::renew(ChipPtr chip) {
  ++chip->working;
  const auto canary = chip->canary;
  const auto epoch = chip->epoch;
  const Epoch next_epoch(epoch.value() + 1);
  auto drawn = co_await drawer_.round(chip, epoch, next_epoch, ledger::AssignmentState::pending);
  const bool stands = chip->epoch == epoch && !stopping_;
  if (stands && drawn.has_error()) {
    const auto lifetime = parts_.provider.absolute_lifetime().length;
    chip->renew_at = Clock::now() + std::max<Milliseconds>(options_.life.draw.retry_min, renewal_margin(lifetime) / 10);
    chip->trouble = drawn.error();
    fire(chip, Event::renew_failed);
  } else if (stands) {
    chip->successor = std::move(*drawn);
    const bool still = co_await await_quiet(chip, epoch);
    if (still) (void)co_await change_places(chip);
  }
  const bool unasked = !stands || (drawn.has_error() && info(drawn.error().kind).fault == Fault::chipgate);
  if (unasked) drawer_.breaker().called_off(canary);
  --chip->working;
  chip->bell.ring();
}

net::Task<bool> Service::await_quiet(ChipPtr chip, Epoch epoch) {
  const auto lifetime = parts_.provider.absolute_lifetime().length;
  const auto left =
      chip->current->assigned_at + lifetime - renewal_margin(lifetime) / 4 - std::chrono::system_clock::now();
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(left);
  while (chip->epoch == epoch && !stopping_) {
    const auto now = Clock::now();
    const auto usage = parts_.plane.usage(chip->index);
    if (now >= until || usage.tunnels_open == 0 || now - usage.last_used >= quiet) co_return true;
    co_await chip->bell.wait_until(std::min(until, now + poll));
  }
  co_return false;
}

// What ends the chip meanwhile waits until this is done, and then finds the row that is open.
net::Task<Result<void>> Service::change_places(ChipPtr chip) {
  const auto epoch = chip->epoch = chip->successor->route->epoch;
  co_await fence(parts_.plane, chip->index, epoch, ErrorKind::renewed);
  const auto& old = *chip->current;
  const auto now = carried(*chip);
  const ledger::Traffic traffic{now.up - old.before.up, now.down - old.before.down};
  const ledger::Swap swap{{old.id, std::chrono::system_clock::now(), "renewed", {}, traffic}, chip->successor->id};
  for (;;) {
    const auto swapped = co_await parts_.ledger.swap(swap);
    if (swapped.has_value()) break;
    chip->recorded = Recorded::fenced_not_recorded;
    chip->bell.ring();
    // An ending closes both rows by itself.
    if (chip->epoch != epoch || stopping_) co_return swapped.error();
    co_await chip->bell.wait_until(Clock::now() + options_.life.draw.retry_min);
  }
  chip->recorded = Recorded::yes;
  chip->current = std::exchange(chip->successor, std::nullopt);
  chip->current->assigned_at = std::chrono::system_clock::now();
  chip->current->opened = Clock::now();
  chip->current->before = now;
  chip->observed = chip->current->exits.v4 ? chip->current->exits.v4 : chip->current->exits.v6;
  chip->pace.succeeded(Clock::now());
  if (chip->epoch != epoch) co_return Result<void>();
  fire(chip, Event::renewed);
  telemetry::JsonObject body;
  body.add("assignment_id", chip->current->id.value()).add("session", chip->current->session);
  journal_.tell("chip.renewed", *chip, body);
  co_return Result<void>();
}

}  // namespace chipgate::lifecycle
