// Looks at chips that have an assignment, and what the data plane hears by the way.
#include "chipgate/lifecycle/exit.hpp"
#include "chipgate/lifecycle/service.hpp"
#include "chipgate/telemetry/log.hpp"

#include <algorithm>

namespace chipgate::lifecycle {
namespace {

// A look that said nothing is tried again so soon, doubling up to a fifth of the interval.
constexpr Milliseconds first_retry{1'000};
// After an error at the gateway the exit is looked at, but a storm of errors causes no storm of looks.
constexpr Milliseconds after_gateway_error{500};
// Shards tell of an endpoint after three failures, and of a chip's failures once a second.
constexpr Milliseconds recent_failure{10'000};

// As shards count them before they tell of an endpoint.
constexpr unsigned failures_that_tell = 3;

bool about_the_session(const std::optional<Error>& error) {
  if (!error) return false;
  switch (error->kind) {
    case ErrorKind::provider_session_lost:
    case ErrorKind::provider_no_exit:
    case ErrorKind::provider_exit_timeout: return true;
    default: return false;
  }
}

telemetry::LookOutcome outcome_of(LookVerdict verdict) {
  switch (verdict) {
    case LookVerdict::same: return telemetry::LookOutcome::same;
    case LookVerdict::other: return telemetry::LookOutcome::other;
    case LookVerdict::unknown: break;
  }
  return telemetry::LookOutcome::unknown;
}

}  // namespace

net::Task<void> Service::look_at(ChipPtr chip, Epoch epoch) {
  const auto canary = chip->canary;
  const auto endpoint = chip->current->endpoint;
  const auto answered = answered_[endpoint];
  const auto verdict = co_await looker_.verify(chip, chip->current->route, chip->current->exits);
  --chip->working;
  chip->looking = Chip::Busy::no;
  chip->bell.ring();
  if (chip->epoch != epoch || stopping_ || !chip->current) co_return drawer_.breaker().called_off(canary);
  if (verdict.error) {
    drawer_.heard(endpoint, *verdict.error);
  } else {
    drawer_.heard_success(endpoint);
  }
  looked(chip, verdict, answered);
}

void Service::count_look(const Verdict& verdict) { counters_.look(outcome_of(verdict.what)).increment(); }

void Service::looked(const ChipPtr& chip, const Verdict& verdict, TimePoint answered_before) {
  const auto now = Clock::now();
  if (verdict.address) seen_at(chip, *verdict.address);
  count_look(verdict);
  switch (verdict.what) {
    case LookVerdict::same: return same(chip);
    case LookVerdict::other: return moved(chip, *verdict.address, verdict.echo);
    case LookVerdict::unknown: break;
  }
  ++chip->failed_looks;
  chip->trouble = verdict.error;
  const auto longest = std::max(first_retry, options_.life.verify.interval / 5);
  const auto wait = std::min<Milliseconds>(longest, first_retry * (1LL << std::min(chip->failed_looks - 1, 10U)));
  chip->next_look = next_try(chip, now + wait, chip->pace.hurried(options_.life.draw, now));
  parts_.log.warn("look_failed", {{"chip", chip->spec.id}, {"in_a_row", chip->failed_looks}});
  const bool gone = about_the_session(verdict.error);
  // A dead session's looks fail in many ways; an outage of all says nothing of it.
  if (verdict.error && Breaker::concerns(verdict.error->kind)) chip->lost_since.reset();
  if (gone && !chip->lost_since) chip->lost_since = now;
  const bool mute = is_mute_alone(chip, verdict.error, answered_before);
  if (mute || (gone && now - *chip->lost_since >= options_.life.verify.lost_after)) {
    chip->ending = {"exit_lost", ErrorKind::fenced, {}};
    return fire(chip, Event::lost);
  }
  // Its clients are held and dial nothing, so that no shard tells of its endpoint.
  const bool at_gateway = verdict.error && info(verdict.error->kind).fault == Fault::gateway;
  chip->failed_at_gateway = at_gateway ? chip->failed_at_gateway + 1 : 0;
  const bool elsewhere = chip->phase == Phase::resuming && chip->failed_at_gateway >= failures_that_tell &&
                         parts_.plane.usage(chip->index).clients_held > 0;
  if (elsewhere && !drawer_.endpoints().up(chip->current->endpoint, now)) leave_endpoint(chip);
  tell_waiting(chip, now);
}

// Nobody says that its session is dead, but others were answered by the same endpoint before this look began, and its
// clients cannot get in. A gateway or an echo that is silent is so to all; and a look that it swallowed says no more
// when it times out after the first ones are answered again.
bool Service::is_mute_alone(const ChipPtr& chip, const std::optional<Error>& error, TimePoint answered_before) {
  if (!error || !is_wordless(error->kind)) {
    chip->mute_since.reset();
    return false;
  }
  const auto now = Clock::now();
  if (!chip->mute_since) chip->mute_since = now;
  return chip->phase == Phase::resuming && now - *chip->mute_since >= options_.life.verify.lost_after &&
         answered_before > *chip->mute_since && parts_.plane.usage(chip->index).clients_held > 0 &&
         chip->pace.capped_until(options_.life.draw, now) <= now;
}

// The moment may be over before anybody scrapes: what is seen is counted and told as well.
void Service::seen_at(const ChipPtr& chip, const IpAddress& address) {
  const auto exit = exit_of(address, options_.life);
  const bool news = !chip->observed || exit_of(*chip->observed, options_.life) != exit;
  chip->observed = address;
  if (!news || parts_.plane.usage(chip->index).tunnels_open == 0) return;
  for (const auto& [id, other] : chips_) {
    const bool there = other != chip && other->observed && exit_of(*other->observed, options_.life) == exit;
    if (!there || parts_.plane.usage(other->index).tunnels_open == 0) continue;
    counters_.duplicates_seen.increment();
    parts_.log.error("exit_shared", {{"chip", chip->spec.id}, {"other", id}, {"exit_ip", address.text()}});
    journal_.tell("chip.exit_shared", *chip,
                  telemetry::JsonObject().add("other", id.value()).add("exit_ip", address.text()));
    return;
  }
}

void Service::same(const ChipPtr& chip) {
  chip->failed_looks = chip->failed_at_gateway = 0;
  chip->lost_since.reset();
  chip->mute_since.reset();
  answered_[chip->current->endpoint] = Clock::now();
  chip->trouble.reset();
  chip->current->verified = Clock::now();
  chip->current->verified_at = std::chrono::system_clock::now();
  chip->next_look = Clock::now() + options_.life.verify.interval;
  tasks_.spawn([](ledger::Ledger& ledger, AssignmentId id, WallTime at) -> net::Task<void> {
    // Lost, it costs nothing but a younger date in the history.
    (void)co_await ledger.verified(id, at);
  }(parts_.ledger, chip->current->id, chip->current->verified_at));
  fire(chip, Event::confirmed);
}

void Service::moved(const ChipPtr& chip, const IpAddress& seen, std::string echo) {
  // Some echoes want a key there, and the ledger and the log keep what they are told.
  echo.resize(std::min(echo.find('?'), echo.size()));
  counters_.moves.increment();
  const auto& current = *chip->current;
  const auto exposure = std::chrono::duration_cast<Milliseconds>(Clock::now() - current.verified);
  parts_.log.warn("exit_moved", {{"chip", chip->spec.id},
                                 {"session", current.session},
                                 {"seen", seen.text()},
                                 {"echo", echo},
                                 {"exposure_seconds", exposure}});
  ledger::Observe observe{.row = {.assignment = current.id, .chip = chip->spec.id, .address = seen}};
  observe.row.at = std::chrono::system_clock::now();
  observe.row.echo = std::move(echo);
  observe.as = ledger::Observe::As::move;
  tasks_.spawn(record_move(chip, std::move(observe)));
  journal_.tell("chip.moved", *chip,
                telemetry::JsonObject().add("assignment_id", current.id.value()).add("seen", seen.text()));
  chip->ending = {"moved", ErrorKind::exit_moved, exposure};
  if (options_.life.verify.on_change == OnChange::block) {
    chip->trouble = Error{ErrorKind::exit_moved, seen.text()};
    // Until somebody connects, also after a restart.
    chip->arming = ledger::Arming::disarmed;
    tasks_.spawn(insist_on_arming(chip));
    return fire(chip, Event::forbidden);
  }
  fire(chip, Event::lost);
}

// Its ending waits for this: the next draw must not find the address that targets saw last free for the chip.
net::Task<void> Service::record_move(ChipPtr chip, ledger::Observe observe) {
  ++chip->working;
  Bell pause(parts_.control);
  for (;;) {
    const auto written = co_await parts_.ledger.observe(observe);
    if (written.has_value()) break;
    chip->not_recorded(parts_.log, written.error());
    co_await pause.wait_until(Clock::now() + options_.life.draw.retry_min);
  }
  chip->recorded = Recorded::yes;
  --chip->working;
  chip->bell.ring();
}

void Service::wanted(ChipIndex index) {
  const auto chip = find(index);
  if (!chip) return;
  chip->wanted_at = Clock::now();
  if (chip->phase == Phase::released && !draws_by_itself(*chip)) {
    return refuse_waiting(chip, Error{ErrorKind::chip_released});
  }
  const bool ends = chip->phase == Phase::releasing;
  if (ends && !draws_by_itself(*chip)) return refuse_waiting(chip, Error{ErrorKind::chip_released});
  fire(chip, Event::wanted);
  if (chip->phase == Phase::blocked)
    return refuse_waiting(chip, chip->trouble.value_or(Error{ErrorKind::chip_blocked}));
  // The route and this wish crossed each other on their way.
  if (chip->usable()) parts_.plane.open(chip->index, chip->current->route);
}

void Service::endpoint_news(EndpointIndex endpoint, gateway::EndpointNews news) {
  const auto& name = options_.endpoint_names.at(endpoint.value());
  auto& choice = drawer_.endpoints();
  if (news == gateway::EndpointNews::reachable) {
    if (!choice.healthy(endpoint)) parts_.log.info("endpoint_up", {{"endpoint", name}});
    drawer_.heard_success(endpoint);
    return;
  }
  // Every shard reports; the first one counts until its backoff has passed.
  if (choice.up(endpoint, Clock::now())) {
    choice.failed(endpoint, Clock::now());
    parts_.log.warn("endpoint_down", {{"endpoint", name}});
  }
  // Also where a look has seen it first: the shard tells of clients that fail in one second by this alone.
  for (const auto& [id, chip] : chips_) {
    if (chip->usable() && chip->current->endpoint == endpoint && Clock::now() - chip->dial_failed < recent_failure) {
      leave_endpoint(chip);
    }
  }
}

// A session stays where it was drawn as long as nothing better is to be had, and as long as its clients get through.
void Service::leave_endpoint(const ChipPtr& chip) {
  const auto now = Clock::now();
  auto& choice = drawer_.endpoints();
  const auto other = choice.pick(now);
  if (other == chip->current->endpoint || !choice.up(other, now)) return;
  // It would be without any exit until the hour allows another.
  if (chip->pace.capped_until(options_.life.draw, now) > now) return;
  choice.still_down(chip->current->endpoint, now);
  chip->ending = {"endpoint_down", ErrorKind::fenced, {}};
  fire(chip, Event::lost);
}

void Service::gateway_news(ChipIndex index, Epoch epoch, const Error& error) {
  const auto chip = find(index);
  if (!chip || chip->epoch != epoch || !chip->usable()) return;
  const auto now = Clock::now();
  if (info(error.kind).fault == Fault::gateway) {
    chip->dial_failed = now;
    if (!drawer_.endpoints().up(chip->current->endpoint, now)) leave_endpoint(chip);
    if (!chip->usable()) return;
  }
  if (options_.life.verify.looking == Looking::on)
    chip->next_look = std::min(chip->next_look, now + after_gateway_error);
}

void Service::other_exit(ChipIndex index, Epoch epoch, const IpAddress& seen) {
  const auto chip = find(index);
  if (!chip || chip->epoch != epoch || !chip->usable()) return;
  const auto& known = chip->current->exits.of_family(seen);
  if (!known || lifecycle::same_exit(*known, seen, options_.life)) return;
  // A plain answer's header may be the origin's own: nothing new is admitted, and two echoes decide.
  seen_at(chip, seen);
  chip->next_look = Clock::now();
  fire(chip, Event::doubted);
}

void Service::same_exit(ChipIndex index, Epoch epoch, const IpAddress& seen) {
  const auto chip = find(index);
  if (!chip || chip->epoch != epoch || !chip->usable()) return;
  const auto& known = chip->current->exits.of_family(seen);
  if (!known || !lifecycle::same_exit(*known, seen, options_.life)) return;
  seen_at(chip, seen);
  same(chip);
}

}  // namespace chipgate::lifecycle
