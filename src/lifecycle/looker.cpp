// Looks and their verdicts.
#include "chipgate/lifecycle/looker.hpp"

#include "chipgate/lifecycle/exit.hpp"
#include "chipgate/lifecycle/plane_tasks.hpp"
#include "chipgate/telemetry/life_counters.hpp"

namespace chipgate::lifecycle {
namespace {

// An echo that answers nothing is asked no second time before another was.
constexpr std::size_t tries_for_an_answer = 2;

std::string text(const protocol::HttpUrl& url) { return "http://" + url.authority.text() + url.path_and_query; }

// What concerns the session, the account or the way to the gateway would be the same at any other echo.
bool other_echo_may_answer(const Error& error) {
  switch (error.kind) {
    case ErrorKind::gateway_garbled:
    case ErrorKind::gateway_silent:
    case ErrorKind::gateway_closed:
    case ErrorKind::gateway_head_too_large:
    case ErrorKind::provider_denied_target:
    case ErrorKind::provider_refused:
    case ErrorKind::provider_rate_limited:  // an echo limits too, and cannot be told from the gateway
    case ErrorKind::provider_exit_timeout:
    case ErrorKind::target_unreachable: return true;
    default: return false;
  }
}

}  // namespace

// What the looks of one question share.
struct Looker::Asking {
  std::size_t open = 0;
  std::size_t failed = 0;
  Answer last{Error{ErrorKind::exit_unconfirmed, "no echo is configured"}, {}};
  bool settled = false;  // `last` is an answer, or another echo would say the same
};

net::Task<Looker::Answer> Looker::ask(ChipPtr chip, gateway::RoutePtr route, Echoes echoes, std::size_t tries) {
  const auto asking = std::make_shared<Asking>();
  // One turn a question: what others ask meanwhile must not bring it back to the echo that was silent.
  auto turn = turn_++;
  while (!asking->settled) {
    if (asking->failed >= std::min(tries, echoes.size())) break;
    const auto now = Clock::now();
    if (asking->open == 0 || may_ask_beside(*chip, now)) {
      chip->pace.asked_at(now);
      ++chip->working;
      ++asking->open;
      parts_.tasks.spawn(ask_one(chip, route, echoes[turn++ % echoes.size()], asking));
    }
    const auto soonest = chip->pace.hurried(parts_.options.draw, now);
    co_await chip->bell.wait_until(soonest > now ? soonest : now + parts_.options.draw.retry_min);
  }
  co_return asking->last;
}

net::Task<void> Looker::ask_one(ChipPtr chip, gateway::RoutePtr route, protocol::HttpUrl echo,
                                std::shared_ptr<Asking> asking) {
  auto looked = co_await look(parts_.plane, chip->index, route, echo, parts_.options.verify.timeout);
  chip->meter.own.up += looked.bytes_up;
  chip->meter.own.down += looked.bytes_down;
  parts_.counters.look_bytes_up.add(looked.bytes_up);
  parts_.counters.look_bytes_down.add(looked.bytes_down);
  --chip->working;
  --asking->open;
  if (!asking->settled) {
    asking->last = {std::move(looked.address), text(echo)};
    const auto& address = asking->last.address;
    asking->settled = address.has_value() || !other_echo_may_answer(address.error());
    if (!asking->settled) ++asking->failed;
  }
  chip->bell.ring();
}

// At a silent gateway a look hangs until its timeout, also when the gateway speaks again. No more often than somebody
// who waits may ask for, and only with turns that nobody else waits for. Behind a canary everybody waits.
bool Looker::may_ask_beside(const Chip& chip, TimePoint now) const {
  if (now < chip.pace.hurried(parts_.options.draw, now)) return false;
  if (chip.canary != Breaker::Ticket::none) return chip.company == Breaker::Company::may_have;
  return parts_.plane.usage(chip.index).clients_held > 0 && parts_.pace.take_spare(now);
}

net::Task<Result<ledger::Exits>> Looker::exits(ChipPtr chip, gateway::RoutePtr route) {
  const auto& verify = parts_.options.verify;
  ledger::Exits exits;
  for (const auto* echoes : {&verify.echoes_v4, &verify.echoes_v6}) {
    if (echoes->empty()) continue;
    const auto answer = co_await ask(chip, route, *echoes, tries_for_an_answer);
    if (answer.address.has_value()) {
      exits.set(*answer.address);
    } else if (exits == ledger::Exits{}) {
      co_return answer.address.error();
    }
  }
  co_return exits;
}

bool Looker::sees(const ledger::Exits& exits) const {
  const auto& verify = parts_.options.verify;
  return (exits.v4 && !verify.echoes_v4.empty()) || (exits.v6 && !verify.echoes_v6.empty());
}

net::Task<Verdict> Looker::verify(ChipPtr chip, gateway::RoutePtr route, ledger::Exits known) {
  const auto& options = parts_.options.verify;
  Verdict verdict{LookVerdict::unknown, {}, {}, Error{ErrorKind::exit_unconfirmed}};
  if (known.v4) verdict = co_await verify_family(chip, route, known, options.echoes_v4);
  if (!known.v6 || verdict.what == LookVerdict::other) co_return verdict;
  const auto of_v6 = co_await verify_family(chip, route, known, options.echoes_v6);
  // A family that cannot be seen just now does not undo what the other one has shown.
  if (!known.v4 || of_v6.what == LookVerdict::other) co_return of_v6;
  co_return verdict;
}

net::Task<Verdict> Looker::verify_family(ChipPtr chip, gateway::RoutePtr route, ledger::Exits known, Echoes echoes) {
  const auto judge = [&](const Answer& answer) -> Verdict {
    if (answer.address.has_error()) return {LookVerdict::unknown, {}, answer.echo, answer.address.error()};
    const auto& before = known.of_family(*answer.address);
    // An echo that is reached over the other family says nothing about this one.
    if (!before) return {LookVerdict::unknown, *answer.address, answer.echo, Error{ErrorKind::exit_unconfirmed}};
    const bool same = same_exit(*before, *answer.address, parts_.options);
    return {same ? LookVerdict::same : LookVerdict::other, *answer.address, answer.echo, {}};
  };
  const auto first = co_await ask(chip, route, echoes, tries_for_an_answer);
  const auto verdict = judge(first);
  if (verdict.what != LookVerdict::other) co_return verdict;
  // Another one, whatever its turn: none may bear out what it said itself.
  auto others = echoes;
  std::erase_if(others, [&](const auto& echo) { return text(echo) == first.echo; });
  const auto second = co_await ask(chip, route, others.empty() ? echoes : others, tries_for_an_answer);
  co_return judge(second);
}

}  // namespace chipgate::lifecycle
