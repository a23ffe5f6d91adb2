// The back-off that clients lack.
#include "chipgate/protocol/pacing.hpp"

#include <algorithm>

namespace chipgate::protocol {
namespace {

// Long enough that a chip's reconnects cost nothing, short enough that nobody takes it for a hang.
constexpr Milliseconds first_delay{1'000};

}  // namespace

TimePoint RefusalPacer::due(TimePoint arrived, TimePoint now) {
  if (delay_ == Milliseconds{0} || now >= window_end_) {
    delay_ = std::min(std::max(delay_ * 2, first_delay), budget_);
    window_end_ = std::max(arrived + delay_, now);
  }
  return std::max(arrived + delay_, now);
}

void RefusalPacer::success() { delay_ = Milliseconds{0}; }

bool is_paced(ErrorKind kind) {
  return info(kind).fault != Fault::client || kind == ErrorKind::too_many_whatsapp_sessions;
}

}  // namespace chipgate::protocol
