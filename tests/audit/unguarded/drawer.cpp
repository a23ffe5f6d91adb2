// Draws that take the chip's first session again, whatever the ledger is told.
#include "chipgate/lifecycle/drawer.hpp"

#include "chipgate/ledger/ledger.hpp"
#include "chipgate/lifecycle/journal.hpp"
#include "chipgate/lifecycle/plane_tasks.hpp"
#include "chipgate/telemetry/log.hpp"
#include "without.hpp"

#include <map>
#include <string>

namespace chipgate::lifecycle {
namespace {

// "chip-{id}-{number}" of the same chip. Used on the control thread alone.
WireSession first_or_own(const WireSession& own) {
  if (!unguarded::without("sessions")) return own;
  static std::map<std::string, WireSession> first;
  const std::string text(own.value());
  return first.try_emplace(text.substr(0, text.rfind('-')), own).first->second;
}

}  // namespace
}  // namespace chipgate::lifecycle

#define render(session) render(first_or_own(session))
#include "../../../src/lifecycle/drawer.cpp"
#undef render
