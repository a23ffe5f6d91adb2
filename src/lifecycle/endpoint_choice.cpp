// Failing over between endpoints.
#include "chipgate/lifecycle/endpoint_choice.hpp"

#include <algorithm>

namespace chipgate::lifecycle {
namespace {

constexpr Milliseconds first_backoff{1'000};
constexpr Milliseconds longest_backoff{60'000};

}  // namespace

EndpointIndex EndpointChoice::pick(TimePoint now) const {
  const auto free_at = [now](const Entry& entry) { return std::max(entry.down_until, now); };
  // The first of equals, so the configuration's order decides between those that are up.
  const auto best = std::ranges::min_element(entries_, {}, free_at);
  return EndpointIndex(static_cast<std::uint32_t>(best - entries_.begin()));
}

bool EndpointChoice::up(EndpointIndex index, TimePoint now) const {
  return entries_.at(index.value()).down_until <= now;
}

bool EndpointChoice::healthy(EndpointIndex index) const {
  return entries_.at(index.value()).backoff == Milliseconds(0);
}

void EndpointChoice::failed(EndpointIndex index, TimePoint now) {
  auto& entry = entries_.at(index.value());
  entry.backoff = std::clamp(entry.backoff * 2, first_backoff, longest_backoff);
  entry.down_until = now + entry.backoff;
}

void EndpointChoice::recovered(EndpointIndex index) { entries_.at(index.value()) = {}; }

}  // namespace chipgate::lifecycle
