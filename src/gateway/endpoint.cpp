// A shard's knowledge of an endpoint.
#include "chipgate/gateway/endpoint.hpp"

#include "chipgate/net/waiter.hpp"

#include <algorithm>

namespace chipgate::gateway {
namespace {

// One lost SYN or a restart of the gateway within a moment is no outage.
constexpr unsigned failures_that_mean_down = 3;

}  // namespace

void Endpoint::resolved(Result<std::vector<IpAddress>> answer) {
  if (answer.has_error()) {
    failure_ = answer.error();
  } else {
    const auto preferred = addresses_.empty() ? std::optional<SocketAddress>() : addresses_.front();
    addresses_.clear();
    for (const auto& ip : *answer) addresses_.push_back({ip, options_.port});
    failure_.reset();
    if (preferred) prefer(*preferred);
  }
  for (auto* waiter : waiting_) waiter->wake();
}

std::optional<Result<std::vector<SocketAddress>>> Endpoint::addresses() const {
  if (!addresses_.empty()) return addresses_;
  if (failure_) return *failure_;
  return std::nullopt;
}

void Endpoint::prefer(const SocketAddress& address) {
  const auto place = std::ranges::find(addresses_, address);
  if (place != addresses_.end()) std::rotate(addresses_.begin(), place, place + 1);
}

std::optional<EndpointNews> Endpoint::succeeded() {
  const bool was_down = failures_in_a_row_ >= failures_that_mean_down;
  failures_in_a_row_ = 0;
  return was_down ? std::optional(EndpointNews::reachable) : std::nullopt;
}

std::optional<EndpointNews> Endpoint::failed() {
  ++failures_in_a_row_;
  // Again with every further three: whoever gave it another try after its backoff wants to know.
  const bool news = failures_in_a_row_ % failures_that_mean_down == 0;
  return news ? std::optional(EndpointNews::unreachable) : std::nullopt;
}

Endpoint::Waiting::Waiting(Endpoint& endpoint, net::Waiter& waiter) : endpoint_(endpoint), waiter_(waiter) {
  endpoint_.waiting_.push_back(&waiter_);
}

Endpoint::Waiting::~Waiting() { std::erase(endpoint_.waiting_, &waiter_); }

}  // namespace chipgate::gateway
