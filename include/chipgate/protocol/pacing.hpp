// Slows a chip's refusals down: clients reconnect at once without back-off, and would turn an outage into a storm.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/base/errors.hpp"
#include "chipgate/protocol/refusal.hpp"

namespace chipgate::protocol {

// One per chip, on its shard. A refusal is due 1 s after its client arrived, after the next failure 2 s, then 4, 8 and
// so on, but never later than the budget, so that every refusal stays prompt. All refusals within one delay count as
// one failure: a client that opens 20 tunnels at once is not punished 20 times.
class RefusalPacer {
 public:
  explicit RefusalPacer(Milliseconds budget) : budget_(budget) {}

  // When to refuse a client that arrived then; never before `now`.
  TimePoint due(TimePoint arrived, TimePoint now);
  // For what says nothing of the chip: as a first failure, which neither counts nor is made longer by others.
  TimePoint due_by_itself(TimePoint arrived, TimePoint now) const;
  // A tunnel was opened: the next refusal starts at 1 s again. So it does where nobody came for longer than the budget:
  // last week's outage is no reason to keep today's first client waiting.
  void success();

 private:
  Milliseconds budget_;
  Milliseconds delay_{0};  // 0: no failure since the last success
  TimePoint window_end_{};
};

// Such as a destination that its operator denies, or a stranger on its port: the chip's own clients must not wait
// longer for it.
bool says_nothing_of_the_chip(ErrorKind kind);

// A client's own fault is told at once where its author can read it: no wait would mend it. But a second WhatsApp
// number on a port is a bot that comes back at once, for ever. And a reset tells nobody anything, and its client
// reconnects at once and for ever, whoever is at fault.
bool is_paced(RefusalForm form, ErrorKind kind);

}  // namespace chipgate::protocol
