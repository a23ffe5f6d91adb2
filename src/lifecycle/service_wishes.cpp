// What operators ask for.
#include "chipgate/lifecycle/changing.hpp"
#include "chipgate/lifecycle/plane_tasks.hpp"
#include "chipgate/lifecycle/service.hpp"
#include "chipgate/telemetry/log.hpp"

#include <algorithm>
#include <utility>

namespace chipgate::lifecycle {
namespace {

// An answer to an operator waits no longer than this for what ends by itself in milliseconds.
constexpr Milliseconds ending_patience{10'000};

class Awaiting {
 public:
  explicit Awaiting(Chip& chip) : chip_(chip) { ++chip_.awaited; }
  ~Awaiting() { --chip_.awaited; }
  Awaiting(const Awaiting&) = delete;
  Awaiting& operator=(const Awaiting&) = delete;

 private:
  Chip& chip_;
};

Denied unknown_chip(const ChipId& id) { return {Denial::unknown_chip, "there is no chip " + id.value(), "id"}; }

}  // namespace

// By whoever changes the chip.
net::Task<Result<void>> Service::write_arming(ChipPtr chip, ledger::Arming arming) {
  chip->arming_recorded.reset();
  const auto written = co_await parts_.ledger.arm(chip->spec.id, arming);
  if (written.has_error()) co_return written.error();
  if (!*written && !chip->leaves()) {
    // The row of a chip of the configuration may not have been written at the start.
    auto row = row_of(*chip);
    row.arming = arming;
    const bool put = co_await put_row(std::move(row));
    if (!put) co_return Error{ErrorKind::ledger_unavailable, "the chip could not be written"};
  }
  chip->arming_recorded = arming;
  co_return Result<void>();
}

// As it is in memory by then.
net::Task<Result<void>> Service::record_arming(ChipPtr chip) {
  const auto changing = co_await Changing::begin(chip);
  if (chip->leaves() || chip->arming_recorded == chip->arming) co_return Result<void>();
  co_return co_await write_arming(chip, chip->arming);
}

// Until the ledger has it, as with an ending: a restart must not connect what its operator has released.
net::Task<void> Service::insist_on_arming(ChipPtr chip) {
  if (std::exchange(chip->insisting, Chip::Busy::yes) == Chip::Busy::yes) co_return;
  Bell pause(parts_.control);
  for (;;) {
    const auto recorded = co_await record_arming(chip);
    if (recorded.has_value() || stopping_) break;
    co_await pause.wait_until(Clock::now() + options_.life.draw.retry_min);
  }
  chip->insisting = Chip::Busy::no;
}

// Not armed, where a restart would not know of it, or where a release came meanwhile.
net::Task<std::optional<Denied>> Service::arm(ChipPtr chip) {
  const auto releases = chip->releases;
  const auto changing = co_await Changing::begin(chip);
  const auto stands = [&] { return chip->releases == releases && !chip->leaves(); };
  if (stands() && chip->arming_recorded != ledger::Arming::armed) {
    const auto written = co_await write_arming(chip, ledger::Arming::armed);
    if (written.has_error()) {
      // What was said before may not be written either.
      tasks_.spawn(insist_on_arming(chip));
      co_return Denied{Denial::ledger_unavailable, written.error().detail, {}};
    }
  }
  if (stands()) chip->arming = ledger::Arming::armed;
  co_return std::nullopt;
}

net::Task<ConnectAnswer> Service::connect(ChipId id, Milliseconds wait, Urgency urgency) {
  const auto until = Clock::now() + wait;
  const auto chip = find(id);
  if (!chip) co_return unknown_chip(id);
  const auto releases = chip->releases;
  if (auto denied = co_await arm(chip)) co_return std::move(*denied);
  if (chip->releases == releases) {
    if (urgency == Urgency::forced) chip->urgency = urgency;
    if (!chip->usable()) fire(chip, Event::connect);
  }
  co_return co_await await_active(chip, std::nullopt, until);
}

net::Task<ConnectAnswer> Service::await_active(ChipPtr chip, std::optional<AssignmentId> before, TimePoint until) {
  const Awaiting awaiting(*chip);
  for (;;) {
    if (chip->leaves()) co_return unknown_chip(chip->spec.id);
    const bool another = chip->usable() && (!before || chip->current->id != *before);
    // Released by a later wish.
    const bool over = chip->phase == Phase::blocked || chip->phase == Phase::released;
    if (another || over || Clock::now() >= until) co_return view(*chip);
    co_await chip->bell.wait_until(until);
  }
}

// A late word about an assignment that is over must not end its successor.
std::optional<Denied> Service::not_current(const Chip& chip, std::optional<AssignmentId> id) const {
  if (!id) return std::nullopt;
  const bool none_to_end = chip.phase == Phase::released || chip.phase == Phase::blocked;
  if (none_to_end || (chip.current && chip.current->id == *id)) return std::nullopt;
  return Denied{Denial::not_current, "the chip's assignment is another one by now", "assignment_id"};
}

net::Task<Wish<Released>> Service::release(ChipId id, std::optional<AssignmentId> assignment) {
  const auto chip = find(id);
  if (!chip) co_return unknown_chip(id);
  if (auto denied = not_current(*chip, assignment)) co_return std::move(*denied);
  Released answer;
  if (chip->current) answer.assignment = chip->current->id;
  chip->ending = {"released", ErrorKind::released, {}};
  fire(chip, Event::release);
  chip->arming = ledger::Arming::disarmed;
  chip->urgency = Urgency::normal;
  ++chip->releases;
  // After the fence has begun: a ledger that cannot write holds up no release.
  const auto disarmed = co_await record_arming(chip);
  if (disarmed.has_error()) {
    answer.recorded = Recorded::fenced_not_recorded;
    tasks_.spawn(insist_on_arming(chip));
  }
  co_return co_await await_ended(chip, answer);
}

net::Task<Wish<Released>> Service::await_ended(ChipPtr chip, Released answer) {
  const auto until = Clock::now() + ending_patience;
  const auto ends = [&] { return state_of(chip->phase) == State::releasing && chip->phase != Phase::removed; };
  while (ends() && chip->recorded == Recorded::yes && Clock::now() < until) co_await chip->bell.wait_until(until);
  if (ends()) answer.recorded = Recorded::fenced_not_recorded;
  co_return answer;
}

net::Task<ConnectAnswer> Service::rotate(ChipId id, std::optional<AssignmentId> assignment, Milliseconds wait,
                                         Urgency urgency) {
  const auto until = Clock::now() + wait;
  const auto chip = find(id);
  if (!chip) co_return unknown_chip(id);
  if (auto denied = not_current(*chip, assignment)) co_return std::move(*denied);
  if (urgency == Urgency::normal && chip->pace.capped_until(options_.life.draw, Clock::now()) > Clock::now()) {
    co_return Denied{Denial::capped, "the chip had its assignments of this hour; force it, or raise the limit", {}};
  }
  const auto releases = chip->releases;
  if (auto denied = co_await arm(chip)) co_return std::move(*denied);
  if (chip->releases != releases) co_return co_await await_active(chip, std::nullopt, until);
  chip->urgency = urgency;
  std::optional<AssignmentId> before;
  if (chip->current) {
    before = chip->current->id;
    chip->ending = {"rotated", ErrorKind::released, {}};
  }
  fire(chip, Event::rotate);
  co_return co_await await_active(chip, before, until);
}

void Service::begin_removal(const ChipPtr& chip) {
  chip->ending = {"chip_removed", ErrorKind::released, {}};
  fire(chip, Event::remove);
}

net::Task<Wish<Released>> Service::remove(ChipId id) {
  const auto chip = find(id);
  if (!chip) co_return unknown_chip(id);
  if (chip->origin == ledger::ChipOrigin::configured) {
    co_return Denied{Denial::configured, "the chip stands in the configuration: remove it there", "id"};
  }
  Released answer;
  if (chip->current) answer.assignment = chip->current->id;
  begin_removal(chip);
  const auto until = Clock::now() + ending_patience;
  while (find(id) == chip && chip->recorded == Recorded::yes && Clock::now() < until) {
    co_await chip->bell.wait_until(until);
  }
  if (find(id) == chip) answer.recorded = Recorded::fenced_not_recorded;
  co_return answer;
}

net::Task<Wish<VerifyAnswer>> Service::verify(ChipId id) {
  const auto chip = find(id);
  if (!chip) co_return unknown_chip(id);
  if (!chip->current || (!chip->usable() && chip->phase != Phase::resuming)) {
    co_return Denied{Denial::not_current, "the chip has no assignment to look at", "id"};
  }
  const auto epoch = chip->epoch;
  const auto answered = answered_[chip->current->endpoint];
  ++chip->working;
  const auto verdict = co_await looker_.verify(chip, chip->current->route, chip->current->exits);
  --chip->working;
  chip->bell.ring();
  if (chip->epoch == epoch && chip->current) looked(chip, verdict, answered);
  co_return VerifyAnswer{verdict.what, verdict.address, verdict.error};
}

net::Task<Wish<std::optional<IpAddress>>> Service::report(ChipId id, Report report) {
  const auto chip = find(id);
  if (!chip) co_return unknown_chip(id);
  telemetry::JsonObject body;
  body.add("kind", report.kind).add("note", report.note);
  if (report.kind != "banned") {
    if (chip->current) chip->next_look = Clock::now();
    journal_.tell("chip.reported", *chip, body);
    co_return std::optional<IpAddress>();
  }
  const auto exits = co_await exits_of(chip, report.assignment);
  if (exits.has_error()) co_return Denied{Denial::ledger_unavailable, exits.error().detail, {}};
  std::optional<IpAddress> denied;
  for (const auto& address : {exits->v6, exits->v4}) {
    if (!address) continue;
    const auto written = co_await parts_.ledger.deny({.address = *address,
                                                      .at = std::chrono::system_clock::now(),
                                                      .reason = "banned " + report.note,
                                                      .chip = id.value()});
    if (written.has_error()) co_return Denied{Denial::ledger_unavailable, written.error().detail, {}};
    denied = address;
  }
  if (!denied) co_return Denied{Denial::not_current, "the chip has no such assignment", "assignment_id"};
  body.add("exit_ip", denied->text());
  journal_.tell("chip.banned", *chip, body);
  co_return denied;
}

// Of the assignment that is named, else of the current one, else of the last.
net::Task<Result<ledger::Exits>> Service::exits_of(ChipPtr chip, std::optional<AssignmentId> id) {
  if (chip->current && (!id || chip->current->id == *id)) co_return chip->current->exits;
  ledger::AssignmentFilter filter{.chip = chip->spec.id};
  if (id) filter.before = id->value() + 1;
  filter.limit = 1;
  const auto rows = co_await parts_.ledger.assignments(filter);
  if (rows.has_error()) co_return rows.error();
  if (rows->empty() || (id && rows->front().row.id != *id)) co_return ledger::Exits{};
  co_return rows->front().row.exits;
}

net::Task<std::vector<TunnelView>> Service::tunnels(std::optional<ChipId> id) {
  auto all = co_await lifecycle::tunnels(parts_.plane);
  if (id) std::erase_if(all, [&](const TunnelView& tunnel) { return tunnel.chip_id != id->value(); });
  co_return all;
}

net::Task<bool> Service::cut(TunnelId tunnel) { co_return co_await lifecycle::cut(parts_.plane, tunnel); }

}  // namespace chipgate::lifecycle
