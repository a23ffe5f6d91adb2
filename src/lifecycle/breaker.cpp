// One canary at a time.
#include "chipgate/lifecycle/breaker.hpp"

#include <algorithm>

namespace chipgate::lifecycle {
namespace {

constexpr Milliseconds first_backoff{1'000};
// Nothing is gained by asking a refused account often while nobody wants it. A gateway that is down notices nothing of
// two connections a second, and chips without an exit come back no sooner than its canary.
constexpr Milliseconds longest_for_account{60'000};
constexpr Milliseconds always_for_gateway{500};
// A canary that never comes home (its chip was removed) is given up after this; a look takes 8 s at most.
constexpr Milliseconds canary_patience{20'000};
// Those behind a canary ask again so soon.
constexpr Milliseconds behind_canary{100};

}  // namespace

bool Breaker::concerns(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::provider_auth:
    case ErrorKind::provider_payment:
    case ErrorKind::provider_rate_limited:
    case ErrorKind::gateway_unresolved:
    case ErrorKind::gateway_refused:
    case ErrorKind::gateway_unreachable:
    case ErrorKind::gateway_connect_timeout:
    case ErrorKind::gateway_tls_failed:
    case ErrorKind::gateway_certificate: return true;
    default: return false;
  }
}

std::optional<TimePoint> Breaker::wait(TimePoint now) {
  if (!error_) return std::nullopt;
  if (now < until_) return until_;
  if (now < canary_until_) return now + behind_canary;
  canary_until_ = now + canary_patience;
  canary_ = Ticket(static_cast<std::uint32_t>(canary_) + 1);
  return std::nullopt;
}

Breaker::Company Breaker::company() const {
  return error_ && info(error_->kind).fault != Fault::gateway ? Company::none : Company::may_have;
}

void Breaker::called_off(Ticket ticket) {
  if (ticket != Ticket::none && ticket == canary_) canary_until_ = {};
}

void Breaker::failed(const Error& error, TimePoint now) {
  // Those that were under way when it opened say nothing new.
  if (error_ && now < until_) return;
  error_ = error;
  heard_ = now;
  const bool is_gateways = info(error.kind).fault == Fault::gateway;
  backoff_ = is_gateways ? always_for_gateway : std::clamp(backoff_ * 2, first_backoff, longest_for_account);
  until_ = now + backoff_;
  canary_until_ = {};
}

void Breaker::undecided(TimePoint now) {
  if (!error_ || now < until_) return;
  heard_ = now;
  // No later than if it had been lost.
  until_ = now + std::min(backoff_, canary_patience);
  canary_until_ = {};
}

void Breaker::wanted() {
  if (error_) until_ = std::min(until_, heard_ + first_backoff);
}

bool Breaker::succeeded() {
  const bool was_open = error_.has_value();
  // Tickets of this outage must not be taken for those of the next.
  const auto last = canary_;
  *this = {};
  canary_ = last;
  return was_open;
}

}  // namespace chipgate::lifecycle
