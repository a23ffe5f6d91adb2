// Journal: what happens to chips, told to the log, to the ledger, and to those who listen.
#pragma once

#include "chipgate/lifecycle/control.hpp"
#include "chipgate/lifecycle/parts.hpp"
#include "chipgate/telemetry/json.hpp"

#include <string_view>
#include <vector>

namespace chipgate::lifecycle {

struct Chip;

// Listeners hear an event once the ledger has it, with its id, so that nobody hears what a restart would not know.
class Journal {
 public:
  explicit Journal(const Parts& parts) : parts_(parts) {}

  // "chip.moved", with what else there is to tell; never a secret.
  void tell(std::string_view type, const Chip& chip, const telemetry::JsonObject& body = {});
  void tell(std::string_view type, const telemetry::JsonObject& body);

  void subscribe(EventListener& listener) { listeners_.push_back(&listener); }
  void unsubscribe(EventListener& listener) { std::erase(listeners_, &listener); }

 private:
  void tell(ledger::EventRow row);
  net::Task<void> write(ledger::EventRow row);

  const Parts& parts_;
  std::vector<EventListener*> listeners_;
};

}  // namespace chipgate::lifecycle
