// What the machine's actions do.
#include "chipgate/lifecycle/service.hpp"

#include "chipgate/lifecycle/plane_tasks.hpp"
#include "chipgate/telemetry/log.hpp"

#include <boost/asio/as_tuple.hpp>

namespace chipgate::lifecycle {
namespace {

// Clients that wait are told now where the next round is so far away that they would give up first.
constexpr Milliseconds worth_waiting{5'000};

}  // namespace

Service::Service(boost::asio::io_context& control, ServiceOptions options, DataPlane& plane, ledger::Ledger& ledger,
                 const provider::Provider& provider, telemetry::Log& log, provider::RandomBits random)
    : options_(std::move(options)),
      random_(std::move(random)),
      tasks_(control),
      clocks_(options_.wall_clock, [this](Milliseconds by) { clock_jumped(by); }),
      pace_(options_.life.draw.per_second),
      parts_{
          control,           tasks_,    plane,   ledger, log, provider, options_.life, random_, options_.endpoint_names,
          options_.instance, counters_, clocks_, pace_},
      journal_(parts_),
      looker_(parts_),
      drawer_(parts_, looker_, journal_),
      ticker_(control) {}

void Service::fire(const ChipPtr& chip, Event event) {
  const auto before = state_of(chip->phase);
  const auto step = next(chip->phase, event);
  chip->phase = step.phase;
  const auto after = state_of(step.phase);
  if (before != after) {
    chip->since = std::chrono::system_clock::now();
    if (after == State::blocked) {
      telemetry::JsonObject body;
      if (chip->trouble) body.add("error", chip->trouble->kind);
      journal_.tell("chip.blocked", *chip, body);
    }
    parts_.log.debug("state",
                     {{"chip", chip->spec.id}, {"was", name(before)}, {"is", name(after)}, {"by", name(event)}});
  }
  act(chip, step.action);
  chip->bell.ring();
}

void Service::act(const ChipPtr& chip, Action action) {
  switch (action) {
    case Action::none: return;
    case Action::draw:
      chip->trouble.reset();
      chip->retry_at = Clock::now();
      return attend(chip, *chip->retry_at);
    case Action::hurry: return hurry(chip);
    case Action::retry: return;  // round_failed has set the time
    case Action::admit: return admit(chip);
    case Action::withhold:
      parts_.plane.withhold(chip->index);
      chip->next_look = Clock::now();
      return;
    case Action::refuse: return refuse_waiting(chip, chip->trouble.value_or(Error{ErrorKind::chip_blocked}));
    case Action::end: return tasks_.spawn(end(chip));
    case Action::renew: return tasks_.spawn(renew(chip));
    case Action::settle: return;
    case Action::forget: return tasks_.spawn(forget(chip));
  }
}

void Service::admit(const ChipPtr& chip) {
  chip->trouble.reset();
  chip->retry_at.reset();
  chip->failed_looks = chip->failed_at_gateway = 0;
  chip->lost_since.reset();
  chip->mute_since.reset();
  chip->urgency = Urgency::normal;
  chip->admits = true;
  const auto& interval = options_.life.verify.interval;
  // Spread over a fifth, so that chips of one start are not all looked at in the same second for ever.
  const auto early = interval * static_cast<std::int64_t>(random_() % 200) / 1'000;
  chip->next_look = Clock::now() + interval - early;
  parts_.plane.open(chip->index, chip->current->route);
}

// How a tunnel ends is no refusal: there are no words for it, and a client that hears none takes its login for broken.
void Service::refuse_waiting(const ChipPtr& chip, Error why) {
  if (info(why.kind).status == 0) why = Error{ErrorKind::chip_blocked, std::string(info(why.kind).name)};
  parts_.plane.refuse(chip->index, why);
}

void Service::tell_waiting(const ChipPtr& chip, TimePoint now) {
  if (chip->usable() || !chip->trouble) return;
  const auto look = std::max(chip->next_look, chip->turn.value_or(chip->next_look));
  const auto next = chip->phase == Phase::resuming ? look : chip->retry_at.value_or(now);
  if (next > now + worth_waiting) return refuse_waiting(chip, *chip->trouble);
  if (parts_.plane.usage(chip->index).clients_held > 0) parts_.plane.explain(chip->index, *chip->trouble);
}

// After a failure. Where somebody waits: no later than they may ask for. The breaker's time stands, but for those that
// it makes wait on.
TimePoint Service::next_try(const ChipPtr& chip, TimePoint by_itself, TimePoint soonest) {
  const bool somebody = parts_.plane.usage(chip->index).clients_held > 0;
  auto& breaker = drawer_.breaker();
  if (somebody && breaker.retry_at() <= Clock::now() + worth_waiting) breaker.wanted();
  const auto next = somebody ? std::min(by_itself, soonest) : by_itself;
  return breaker.error() ? std::max(next, breaker.retry_at()) : next;
}

void Service::hurry(const ChipPtr& chip) {
  const auto now = Clock::now();
  drawer_.breaker().wanted();
  auto soonest = chip->pace.hurried(options_.life.draw, now);
  if (chip->phase == Phase::resuming) {
    chip->next_look = std::min(chip->next_look, soonest);
    attend(chip, now);
    return tell_waiting(chip, now);
  }
  if (drawer_.breaker().error()) soonest = std::max(soonest, drawer_.breaker().retry_at());
  if (chip->urgency == Urgency::normal) soonest = std::max(soonest, chip->pace.capped_until(options_.life.draw, now));
  if (chip->retry_at) chip->retry_at = std::min(*chip->retry_at, soonest);
  attend(chip, now);
  tell_waiting(chip, now);
}

net::Task<void> Service::draw_round(ChipPtr chip, Epoch epoch) {
  const auto canary = chip->canary;
  auto drawn = co_await drawer_.round(chip, epoch, epoch, ledger::AssignmentState::open);
  --chip->working;
  chip->drawing = Chip::Busy::no;
  chip->bell.ring();
  // Released meanwhile; the drawer has given back what it took.
  if (chip->epoch != epoch || stopping_) co_return drawer_.breaker().called_off(canary);
  if (drawn.has_error()) {
    // The gateway was not asked, or what it said could not be kept.
    if (info(drawn.error().kind).fault == Fault::chipgate) drawer_.breaker().called_off(canary);
    round_failed(chip, drawn.error());
    co_return;
  }
  chip->current = std::move(*drawn);
  chip->observed = chip->current->exits.v4 ? chip->current->exits.v4 : chip->current->exits.v6;
  auto& current = *chip->current;
  current.opened = Clock::now();
  current.before = carried(*chip);
  chip->pace.succeeded(Clock::now());
  fire(chip, Event::drawn);
  const auto exit = current.exits.v4 ? current.exits.v4 : current.exits.v6;
  parts_.log.info("assigned", {{"chip", chip->spec.id},
                               {"session", current.session},
                               {"endpoint", options_.endpoint_names.at(current.endpoint.value())},
                               {"exit_ip", exit ? exit->text() : "not looked at"}});
  telemetry::JsonObject body;
  body.add("assignment_id", current.id.value()).add("session", current.session);
  if (exit) body.add("exit_ip", exit->text());
  journal_.tell("chip.active", *chip, body);
  heed_quota(chip);
}

void Service::round_failed(const ChipPtr& chip, const Error& error) {
  const auto now = Clock::now();
  const bool news = !chip->trouble || chip->trouble->kind != error.kind;
  chip->trouble = error;
  const auto by_itself = chip->pace.after_failure(options_.life.draw, now, random_());
  const auto soonest = chip->pace.hurried(options_.life.draw, now);
  // An outage of all says nothing of this chip: it asks again as soon as the canary is back.
  chip->retry_at = next_try(chip, drawer_.breaker().error() ? soonest : by_itself, soonest);
  parts_.log.warn("draw_failed", {{"chip", chip->spec.id}, {"error", error.kind}, {"detail", error.detail}});
  if (news) journal_.tell("chip.draw_failed", *chip, telemetry::JsonObject().add("error", error.kind));
  const bool strict = options_.life.draw.when_scarce == WhenScarce::strict;
  if (strict && error.kind == ErrorKind::no_free_exit) return fire(chip, Event::gave_up);
  fire(chip, Event::draw_failed);
  tell_waiting(chip, now);
}

// The chip's row is told first, then everything is fenced, then the row is closed: a restart in between finishes it.
net::Task<void> Service::end(ChipPtr chip) {
  chip->epoch = Epoch(chip->epoch.value() + 1);
  const auto epoch = chip->epoch;
  auto ending = chip->ending;
  // A draw that waits for its turn sees that it is over.
  chip->bell.ring();
  if (chip->current) {
    // A ledger that cannot write must not keep anything open.
    constexpr Milliseconds patience{500};
    const auto until = Clock::now() + patience;
    const auto told = std::make_shared<bool>(false);
    tasks_.spawn(announce_closing(chip, chip->current->id, told));
    while (!*told && Clock::now() < until) co_await chip->bell.wait_until(until);
  }
  co_await fence(parts_.plane, chip->index, epoch, ending.told);
  chip->admits = false;
  if (ending.exposure && chip->current) {
    const auto exposure = Clock::now() - chip->current->verified;
    ending.exposure = std::chrono::duration_cast<Milliseconds>(exposure);
    counters_.exposure.observe(exposure);
  }
  while (chip->working > 0) co_await chip->bell.wait_until(Clock::now() + std::chrono::seconds(1));
  if (chip->successor) {
    const auto successor = chip->successor->id;
    co_await close_row(chip, successor, {.reason = "abandoned"}, {});
    chip->successor.reset();
  }
  if (chip->current) {
    const auto& current = *chip->current;
    const auto now = carried(*chip);
    const ledger::Traffic traffic{now.up - current.before.up, now.down - current.before.down};
    const auto id = current.id;
    const auto session = current.session;
    co_await close_row(chip, id, ending, traffic);
    chip->current.reset();
    parts_.log.info("ended", {{"chip", chip->spec.id}, {"session", session}, {"reason", ending.reason}});
    journal_.tell("chip.released", *chip,
                  telemetry::JsonObject().add("assignment_id", id.value()).add("reason", ending.reason));
  }
  fire(chip, Event::closed);
}

net::Task<void> Service::announce_closing(ChipPtr chip, AssignmentId id, std::shared_ptr<bool> done) {
  const auto written = co_await parts_.ledger.closing(id, clocks_.wall(), chip->ending.reason);
  if (written.has_error()) {
    parts_.log.error("closing_not_recorded", {{"chip", chip->spec.id}, {"detail", written.error().detail}});
  }
  *done = true;
  chip->bell.ring();
}

// Until the ledger has it: the address stays reserved, and no one else gets it meanwhile.
net::Task<void> Service::close_row(ChipPtr chip, AssignmentId id, Ending ending, ledger::Traffic traffic) {
  const auto at = clocks_.wall();
  for (;;) {
    const auto closed = co_await parts_.ledger.close({id, at, ending.reason, ending.exposure, traffic});
    if (closed.has_value()) break;
    chip->not_recorded(parts_.log, closed.error());
    co_await chip->bell.wait_until(Clock::now() + options_.life.draw.retry_min);
  }
  chip->recorded = Recorded::yes;
}

net::Task<void> Service::forget(ChipPtr chip) {
  // The plane forgets at once what it has carried.
  chip->meter.earlier_ports = carried(*chip);
  co_await close(parts_.plane, chip->index);
  for (;;) {
    const auto gone = co_await parts_.ledger.delete_chip(chip->spec.id, std::chrono::system_clock::now());
    if (gone.has_value()) break;
    chip->not_recorded(parts_.log, gone.error());
    co_await chip->bell.wait_until(Clock::now() + options_.life.draw.retry_min);
  }
  chip->recorded = Recorded::yes;
  journal_.tell("chip.removed", *chip);
  by_index_.at(chip->index.value()).reset();
  chips_.erase(chip->spec.id);
  chip->bell.ring();
}

}  // namespace chipgate::lifecycle
