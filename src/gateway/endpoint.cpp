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
    order_anew(*answer);
    failure_.reset();
  }
  for (auto* waiter : waiting_) waiter->wake();
}

// Known addresses stay in their order, whatever order a name server gives them this time.
void Endpoint::order_anew(const std::vector<IpAddress>& answer) {
  const auto has = [](const auto& all, const auto& one) { return std::ranges::find(all, one) != all.end(); };
  std::erase_if(addresses_, [&](const SocketAddress& known) { return !has(answer, known.ip); });
  for (const auto& ip : answer) {
    const SocketAddress address{ip, options_.port};
    if (!has(addresses_, address)) addresses_.push_back(address);
  }
  if (proven_ && !has(addresses_, *proven_)) proven_.reset();
}

std::optional<Result<std::vector<SocketAddress>>> Endpoint::addresses() const {
  if (!addresses_.empty()) return addresses_;
  if (failure_) return *failure_;
  return std::nullopt;
}

void Endpoint::prefer(const SocketAddress& address) {
  const auto place = std::ranges::find(addresses_, address);
  if (place == addresses_.end()) return;
  std::rotate(addresses_.begin(), place, place + 1);
  proven_ = address;
  doubts_ = 0;
}

void Endpoint::doubt(const SocketAddress& address) {
  const auto place = std::ranges::find(addresses_, address);
  if (place == addresses_.end()) return;
  if (proven_ == address && ++doubts_ < failures_that_mean_down) return;
  std::rotate(place, place + 1, addresses_.end());
  if (proven_ == address) proven_.reset();
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
