// EndpointChoice: which of the gateway's endpoints a new assignment is drawn on.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/base/ids.hpp"

#include <cstddef>
#include <vector>

namespace chipgate::lifecycle {

// Pure: times are arguments. The first endpoint in the order of the configuration that is not held down. A failed one
// is held down for 1 s, doubling to 60 s with every further failure, and then may be tried again.
class EndpointChoice {
 public:
  explicit EndpointChoice(std::size_t endpoints) : entries_(endpoints) {}

  // Where all are held down, the one that comes back first.
  EndpointIndex pick(TimePoint now) const;
  // May be tried now.
  bool up(EndpointIndex, TimePoint now) const;
  // Has not failed since it last worked.
  bool healthy(EndpointIndex) const;
  void failed(EndpointIndex, TimePoint now);
  void recovered(EndpointIndex);

 private:
  struct Entry {
    TimePoint down_until{};
    Milliseconds backoff{0};
  };
  std::vector<Entry> entries_;
};

}  // namespace chipgate::lifecycle
