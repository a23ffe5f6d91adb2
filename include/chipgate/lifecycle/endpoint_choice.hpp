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
  // A client has just failed there, as was to be expected: held down for another second, and no longer than that. Or
  // its chip would leave it and be back in the same moment.
  void still_down(EndpointIndex, TimePoint now);
  // A new session heard nothing there. Two in a row, and others are picked before it for as long as if it had failed;
  // it stays up, since its echoes may be what is silent.
  void was_silent(EndpointIndex, TimePoint now);
  void recovered(EndpointIndex);

 private:
  struct Pause {
    TimePoint until{};
    Milliseconds length{0};

    void begin(TimePoint now);
  };
  struct Entry {
    Pause down{};
    Pause avoided{};
    unsigned silences = 0;  // since it last spoke
  };
  std::vector<Entry> entries_;
};

}  // namespace chipgate::lifecycle
