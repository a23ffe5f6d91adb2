// What a chip says of itself.
#include "chipgate/lifecycle/chip.hpp"

#include "chipgate/telemetry/log.hpp"

namespace chipgate::lifecycle {

void Chip::not_recorded(telemetry::Log& log, const Error& why) {
  if (admits) return log.error("not_recorded", {{"chip", spec.id}, {"detail", why.detail}});
  if (recorded == ledger::Recorded::fenced_not_recorded) return;
  recorded = ledger::Recorded::fenced_not_recorded;
  log.error("fenced_not_recorded", {{"chip", spec.id}, {"detail", why.detail}});
  bell.ring();
}

}  // namespace chipgate::lifecycle
