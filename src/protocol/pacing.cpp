// The back-off that clients lack.
#include "chipgate/protocol/pacing.hpp"

#include <algorithm>

namespace chipgate::protocol {
namespace {

// Long enough that a chip's reconnects cost nothing, short enough that nobody takes it for a hang.
constexpr Milliseconds first_delay{1'000};

}  // namespace

TimePoint RefusalPacer::due(TimePoint arrived, TimePoint now) {
  // Whoever stayed away for so long by itself needs no slowing down.
  if (arrived - window_end_ > budget_) delay_ = Milliseconds{0};
  if (delay_ == Milliseconds{0} || now >= window_end_) {
    delay_ = std::min(std::max(delay_ * 2, first_delay), budget_);
    window_end_ = std::max(arrived + delay_, now);
  }
  return std::max(arrived + delay_, now);
}

TimePoint RefusalPacer::due_by_itself(TimePoint arrived, TimePoint now) const {
  return std::max(arrived + std::min(first_delay, budget_), now);
}

void RefusalPacer::success() { delay_ = Milliseconds{0}; }

bool says_nothing_of_the_chip(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::destination_denied:
    case ErrorKind::client_auth_required:
    case ErrorKind::client_not_allowed: return true;
    default: return false;
  }
}

bool is_paced(RefusalForm form, ErrorKind kind) {
  switch (form) {
    case RefusalForm::silent_close: return false;
    case RefusalForm::reset:
    case RefusalForm::established_then_reset: return true;
    case RefusalForm::status:
    case RefusalForm::socks_reply: break;
  }
  return info(kind).fault != Fault::client || kind == ErrorKind::too_many_whatsapp_sessions;
}

}  // namespace chipgate::protocol
