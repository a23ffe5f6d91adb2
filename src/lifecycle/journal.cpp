// Events.
#include "chipgate/lifecycle/journal.hpp"

#include "chipgate/lifecycle/chip.hpp"
#include "chipgate/lifecycle/clocks.hpp"
#include "chipgate/telemetry/life_counters.hpp"
#include "chipgate/telemetry/log.hpp"

namespace chipgate::lifecycle {

void Journal::tell(std::string_view type, const Chip& chip, const telemetry::JsonObject& body) {
  tell({.at = parts_.clocks.wall(), .type = std::string(type), .chip = chip.spec.id, .body = body.text()});
}

void Journal::tell(std::string_view type, const telemetry::JsonObject& body) {
  tell({.at = parts_.clocks.wall(), .type = std::string(type), .body = body.text()});
}

void Journal::tell(ledger::EventRow row) {
  ++parts_.counters.events[row.type];
  parts_.tasks.spawn(write(std::move(row)));
}

net::Task<void> Journal::write(ledger::EventRow row) {
  const auto type = row.type;
  const auto chip = row.chip;
  if (chip) {
    parts_.log.info("event", {{"type", type}, {"chip", *chip}, {"body", row.body}});
  } else {
    parts_.log.info("event", {{"type", type}, {"body", row.body}});
  }
  const auto written = co_await parts_.ledger.append(std::move(row));
  if (written.has_error()) {
    parts_.log.error("event_not_recorded", {{"type", type}, {"detail", written.error().detail}});
    co_return;
  }
  // A listener may leave while it is called.
  const auto listeners = listeners_;
  for (auto* listener : listeners) {
    if (std::ranges::find(listeners_, listener) != listeners_.end()) listener->on_event(*written);
  }
}

}  // namespace chipgate::lifecycle
