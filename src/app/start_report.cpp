// Descriptors and the ledger.
#include "start_report.hpp"

#include "chipgate/net/descriptors.hpp"
#include "chipgate/telemetry/log.hpp"

namespace chipgate::app {
namespace {

// What the process needs beside the chips': log, epoll sets, timers, resolver, admin connections.
constexpr std::uint64_t descriptors_of_its_own = 128;
// A port, and four tunnels of two sockets: a WhatsApp client with its media.
constexpr std::uint64_t descriptors_per_chip = 9;

}  // namespace

std::uint64_t descriptors_needed(std::size_t chips) { return descriptors_of_its_own + descriptors_per_chip * chips; }

void report_descriptors(telemetry::Log& log, std::size_t chips) {
  const auto limit = net::raise_descriptor_limit();
  const auto needed = descriptors_needed(chips);
  log.info("descriptors", {{"needed", needed}, {"has", limit.has}, {"had", limit.had}});
  if (limit.has < needed) {
    log.warn("few_descriptors", {{"needed", needed},
                                 {"has", limit.has},
                                 {"hint", "raise the hard limit (ulimit -Hn, LimitNOFILE, --ulimit nofile)"}});
  }
}

void report_ledger(telemetry::Log& log, const ledger::Restored& restored, const std::string& path) {
  log.info("ledger", {{"id", restored.ledger_id},
                      {"path", path},
                      {"created", rfc3339(restored.created_at)},
                      {"open", restored.live.size()},
                      {"assignments", restored.assignments},
                      {"quarantined", restored.quarantined}});
  if (restored.lost) {
    log.warn("ledger_lost", {{"id", restored.lost->ledger_id},
                             {"assignments", restored.lost->assignments},
                             {"hint", "this ledger is new, and another one was here: bring its file back"}});
  }
}

}  // namespace chipgate::app
