// The words of outcomes.
#include "chipgate/telemetry/life_counters.hpp"

namespace chipgate::telemetry {

std::string_view name(DrawOutcome outcome) {
  switch (outcome) {
    case DrawOutcome::taken: return "taken";
    case DrawOutcome::in_use: return "in_use";
    case DrawOutcome::quarantined: return "quarantined";
    case DrawOutcome::scarce: return "scarce";
    case DrawOutcome::denied: return "denied";
    case DrawOutcome::own_last: return "own_last";
    case DrawOutcome::failed: return "failed";
    case DrawOutcome::abandoned: return "abandoned";
  }
  return {};
}

std::string_view name(LookOutcome outcome) {
  switch (outcome) {
    case LookOutcome::same: return "same";
    case LookOutcome::other: return "other";
    case LookOutcome::unknown: return "unknown";
  }
  return {};
}

}  // namespace chipgate::telemetry
