// Draws.
#include "chipgate/lifecycle/drawer.hpp"

#include "chipgate/ledger/ledger.hpp"
#include "chipgate/lifecycle/clocks.hpp"
#include "chipgate/lifecycle/journal.hpp"
#include "chipgate/lifecycle/plane_tasks.hpp"
#include "chipgate/telemetry/life_counters.hpp"
#include "chipgate/telemetry/log.hpp"

#include <algorithm>

namespace chipgate::lifecycle {
namespace {

using telemetry::DrawOutcome;

// The ledger knows identifiers of earlier processes; a second of them is passed by in a few steps.
constexpr int identifier_tries = 100;

std::vector<IpAddress> addresses(const ledger::Exits& exits) {
  std::vector<IpAddress> found;
  if (exits.v4) found.push_back(*exits.v4);
  if (exits.v6) found.push_back(*exits.v6);
  return found;
}

// Concerns the gateway or the account, or this host: another session would fare no better.
bool ends_the_round(const Error& error) {
  return Breaker::concerns(error.kind) || info(error.kind).fault == Fault::chipgate;
}

DrawOutcome outcome_of(ledger::LeaseRefusal why) {
  switch (why) {
    case ledger::LeaseRefusal::in_use: return DrawOutcome::in_use;
    case ledger::LeaseRefusal::quarantined: return DrawOutcome::quarantined;
    case ledger::LeaseRefusal::denied: return DrawOutcome::denied;
    case ledger::LeaseRefusal::own_last: break;
  }
  return DrawOutcome::own_last;
}

}  // namespace

Drawer::Drawer(const Parts& parts, Looker& looker, Journal& journal)
    : parts_(parts), looker_(looker), journal_(journal), choice_(parts.endpoint_names.size()) {}

net::Task<Result<Assignment>> Drawer::round(ChipPtr chip, Epoch while_epoch, Epoch route_epoch,
                                            ledger::AssignmentState as) {
  Error last{ErrorKind::no_free_exit};
  std::vector<Candidate> quarantined;
  for (unsigned i = 0; i < parts_.options.draw.per_round; ++i) {
    // The first one had its turn before the round began. Where nobody looks, nothing is sent.
    if (i > 0 && parts_.options.verify.looking == Looking::on) {
      const auto turn = parts_.pace.reserve(Clock::now());
      while (chip->epoch == while_epoch && Clock::now() < turn) co_await chip->bell.wait_until(turn);
      // Refused meanwhile: the canary asks for all.
      if (breaker_.error() && chip->canary == Breaker::Ticket::none) co_return *breaker_.error();
    }
    if (chip->epoch != while_epoch) co_return Error{ErrorKind::fenced};
    auto drawn = co_await draw(chip, route_epoch);
    if (chip->epoch != while_epoch) {
      count(DrawOutcome::abandoned);
      co_return Error{ErrorKind::fenced};
    }
    if (drawn.has_error()) {
      count(DrawOutcome::failed);
      last = drawn.error();
      // One session may be bad luck, a whole round was an outage: it is not asked five times a second.
      if (ends_the_round(last) || chip->pace.failing()) co_return last;
      continue;
    }
    const auto taken = co_await take(chip, *drawn, as, ledger::Quarantine::respected);
    if (taken.has_error()) {
      count(DrawOutcome::failed);
      co_return taken.error();
    }
    if (const auto* id = std::get_if<AssignmentId>(&*taken)) {
      drawn->assignment.id = *id;
      drawn->assignment.assigned_at = parts_.clocks.wall();
      const bool stands = chip->epoch == while_epoch;
      count(stands ? DrawOutcome::taken : DrawOutcome::abandoned);
      if (stands) co_return std::move(drawn->assignment);
      co_await give_back(chip, *id);
      co_return Error{ErrorKind::fenced};
    }
    const auto& refused = std::get<ledger::Refused>(*taken);
    count(outcome_of(refused.why));
    last = {ErrorKind::no_free_exit, refused.address.text()};
    if (refused.why == ledger::LeaseRefusal::quarantined) {
      drawn->until = refused.until;
      quarantined.push_back(std::move(*drawn));
    }
  }
  if (parts_.options.draw.when_scarce == WhenScarce::oldest && !quarantined.empty()) {
    auto oldest = co_await take_oldest(chip, std::move(quarantined), as);
    if (oldest.has_value()) count(DrawOutcome::scarce);
    if (oldest.has_value() && chip->epoch != while_epoch) {
      co_await give_back(chip, oldest->id);
      co_return Error{ErrorKind::fenced};
    }
    if (oldest.has_value() || oldest.error().kind != ErrorKind::no_free_exit) co_return oldest;
  }
  co_return last;
}

net::Task<Result<Drawer::Session>> Drawer::new_session(ChipPtr chip) {
  for (int i = 0; i < identifier_tries; ++i) {
    const auto now = parts_.clocks.wall();
    Session session{names_.next(chip->spec.id, now), {}};
    session.wire = parts_.provider.wire_session(session.identifier, parts_.random);
    const auto issued = co_await parts_.ledger.issue({session.identifier, session.wire, chip->spec.id, now});
    if (issued.has_error()) co_return issued.error();
    if (*issued == ledger::Issued::fresh) co_return session;
  }
  co_return Error{ErrorKind::ledger_unavailable, "no identifier is free"};
}

// Nothing of the session leaves this host before the ledger has it.
net::Task<Result<Drawer::Candidate>> Drawer::draw(ChipPtr chip, Epoch route_epoch) {
  chip->pace.asked_at(Clock::now());
  const auto session = co_await new_session(chip);
  if (session.has_error()) co_return session.error();
  const auto endpoint = choice_.pick(Clock::now());
  Candidate candidate;
  candidate.wire = session->wire;
  candidate.assignment.session = session->identifier;
  candidate.assignment.endpoint = endpoint;
  const auto route = route_for(session->identifier, session->wire, route_epoch, endpoint);
  if (parts_.options.verify.looking == Looking::on) {
    const auto exits = co_await looker_.exits(chip, route);
    if (exits.has_error()) {
      if (is_wordless(exits.error().kind)) choice_.was_silent(endpoint, Clock::now());
      heard(endpoint, exits.error());
      (void)co_await parts_.ledger.settle(session->identifier, ledger::IdentifierOutcome::failed, std::nullopt);
      co_return exits.error();
    }
    heard_success(endpoint);
    candidate.assignment.exits = *exits;
  }
  candidate.assignment.route =
      gateway::with_exits(*route, addresses(candidate.assignment.exits), parts_.options.prefixes());
  candidate.assignment.verified = Clock::now();
  candidate.assignment.verified_at = parts_.clocks.wall();
  co_return candidate;
}

net::Task<Result<ledger::Taken>> Drawer::take(ChipPtr chip, Candidate candidate, ledger::AssignmentState as,
                                              ledger::Quarantine quarantine) {
  // A clock that has just been set ends no quarantine: what it is told goes to the ledger before this.
  parts_.clocks.heed();
  const auto& drawn = candidate.assignment;
  ledger::Take take{.row = {.chip = chip->spec.id}, .quarantine = quarantine};
  take.row.session = drawn.session;
  take.row.wire = candidate.wire;
  take.row.provider = parts_.provider.preset().name;
  take.row.endpoint = parts_.endpoint_names.at(drawn.endpoint.value());
  take.row.credentials_digest = provider::credentials_digest(parts_.provider.render(candidate.wire));
  take.row.instance = parts_.instance;
  take.row.state = as;
  take.row.exits = drawn.exits;
  take.row.assigned_at = parts_.clocks.wall();
  take.row.verified_at = drawn.verified_at;
  auto taken = co_await parts_.ledger.take(std::move(take));
  const auto* refused = taken.has_value() ? std::get_if<ledger::Refused>(&*taken) : nullptr;
  if (refused != nullptr) {
    (void)co_await parts_.ledger.settle(drawn.session, ledger::IdentifierOutcome::refused, refused->address);
  }
  co_return taken;
}

// The pool is small or the quarantine long: an address that rests is better than none, and the one that rests longest
// is the best of them.
net::Task<Result<Assignment>> Drawer::take_oldest(ChipPtr chip, std::vector<Candidate> candidates,
                                                  ledger::AssignmentState as) {
  std::ranges::sort(candidates, {},
                    [](const Candidate& candidate) { return candidate.until.value_or(WallTime::max()); });
  Error last{ErrorKind::no_free_exit};
  for (auto& candidate : candidates) {
    const auto taken = co_await take(chip, candidate, as, ledger::Quarantine::overridden);
    if (taken.has_error()) co_return taken.error();
    if (const auto* id = std::get_if<AssignmentId>(&*taken)) {
      telemetry::JsonObject body;
      body.add("session", candidate.assignment.session);
      if (candidate.until) body.add("quarantined_until", rfc3339(*candidate.until));
      journal_.tell("chip.exit_scarce", *chip, body);
      candidate.assignment.id = *id;
      candidate.assignment.assigned_at = parts_.clocks.wall();
      co_return std::move(candidate.assignment);
    }
  }
  co_return last;
}

// Until the ledger has it: a chip whose row stays open could never take another one, and would be resumed by a restart.
net::Task<void> Drawer::give_back(ChipPtr chip, AssignmentId id) {
  const auto at = parts_.clocks.wall();
  Bell pause(parts_.control);
  for (;;) {
    const auto closed = co_await parts_.ledger.close({.assignment = id, .at = at, .reason = "abandoned"});
    if (closed.has_value()) break;
    chip->not_recorded(parts_.log, closed.error());
    co_await pause.wait_until(Clock::now() + parts_.options.draw.retry_min);
  }
  chip->recorded = ledger::Recorded::yes;
}

std::optional<Assignment> Drawer::resume(const ledger::AssignmentRow& row, Epoch epoch) const {
  const auto endpoint = std::ranges::find(parts_.endpoint_names, row.endpoint);
  if (endpoint == parts_.endpoint_names.end()) return std::nullopt;
  if (provider::credentials_digest(parts_.provider.render(row.wire)) != row.credentials_digest) return std::nullopt;
  Assignment assignment;
  assignment.id = row.id;
  assignment.session = row.session;
  assignment.endpoint = EndpointIndex(static_cast<std::uint32_t>(endpoint - parts_.endpoint_names.begin()));
  assignment.exits = row.exits;
  assignment.route = gateway::with_exits(*route_for(row.session, row.wire, epoch, assignment.endpoint),
                                         addresses(row.exits), parts_.options.prefixes());
  assignment.assigned_at = row.assigned_at;
  assignment.verified_at = row.verified_at;
  return assignment;
}

gateway::RoutePtr Drawer::route_for(const SessionIdentifier& session, const WireSession& wire, Epoch epoch,
                                    EndpointIndex endpoint) const {
  const auto literals =
      parts_.provider.preset().carries_ip_literals ? gateway::IpLiterals::carried : gateway::IpLiterals::refused;
  return gateway::make_route(session, epoch, endpoint, parts_.provider.render(wire), literals);
}

void Drawer::count(DrawOutcome outcome) { parts_.counters.draw(outcome).increment(); }

void Drawer::heard(EndpointIndex endpoint, const Error& error) {
  const auto now = Clock::now();
  if (!Breaker::concerns(error.kind)) return breaker_.undecided(now);
  if (info(error.kind).fault == Fault::gateway) {
    if (choice_.up(endpoint, now)) choice_.failed(endpoint, now);
    // Another endpoint is there to be tried.
    if (choice_.up(choice_.pick(now), now)) return breaker_.undecided(now);
  }
  const bool news = !breaker_.error().has_value();
  breaker_.failed(error, now);
  if (news) {
    parts_.counters.breaker_opened.increment(error.kind);
    telemetry::JsonObject body;
    body.add("error", error.kind).add("detail", error.detail);
    journal_.tell("gateway.refusing", body);
  }
}

void Drawer::heard_success(EndpointIndex endpoint) {
  choice_.recovered(endpoint);
  if (breaker_.succeeded()) journal_.tell("gateway.recovered", telemetry::JsonObject());
}

}  // namespace chipgate::lifecycle
