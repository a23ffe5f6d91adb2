// Failing over between endpoints.
#include "chipgate/lifecycle/endpoint_choice.hpp"

#include <algorithm>

namespace chipgate::lifecycle {
namespace {

constexpr Milliseconds first_backoff{1'000};
constexpr Milliseconds longest_backoff{60'000};
// One session's silence says nothing of an endpoint.
constexpr unsigned silences_that_tell = 2;

}  // namespace

void EndpointChoice::Pause::begin(TimePoint now) {
  length = std::clamp(length * 2, first_backoff, longest_backoff);
  until = now + length;
}

EndpointIndex EndpointChoice::pick(TimePoint now) const {
  const auto free_at = [now](const Entry& entry) { return std::max({entry.down.until, entry.avoided.until, now}); };
  // The first of equals, so the configuration's order decides between those that are up.
  const auto best = std::ranges::min_element(entries_, {}, free_at);
  return EndpointIndex(static_cast<std::uint32_t>(best - entries_.begin()));
}

bool EndpointChoice::up(EndpointIndex index, TimePoint now) const {
  return entries_.at(index.value()).down.until <= now;
}

bool EndpointChoice::healthy(EndpointIndex index) const {
  return entries_.at(index.value()).down.length == Milliseconds(0);
}

void EndpointChoice::failed(EndpointIndex index, TimePoint now) { entries_.at(index.value()).down.begin(now); }

void EndpointChoice::still_down(EndpointIndex index, TimePoint now) {
  auto& down = entries_.at(index.value()).down;
  down.until = std::max(down.until, now + first_backoff);
}

void EndpointChoice::was_silent(EndpointIndex index, TimePoint now) {
  auto& entry = entries_.at(index.value());
  // Those that were under way when it began to be avoided say nothing new.
  if (++entry.silences >= silences_that_tell && entry.avoided.until <= now) entry.avoided.begin(now);
}

void EndpointChoice::recovered(EndpointIndex index) { entries_.at(index.value()) = {}; }

}  // namespace chipgate::lifecycle
