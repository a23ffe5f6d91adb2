// The one table of all metric families, and the counters behind them that shards own and write.
#pragma once

#include "chipgate/base/errors.hpp"
#include "chipgate/telemetry/counter.hpp"
#include "chipgate/telemetry/histogram.hpp"
#include "chipgate/telemetry/stage.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chipgate::telemetry {

enum class MetricType : std::uint8_t { counter, gauge, histogram };

struct FamilyInfo {
  std::string_view name;
  MetricType type;
  std::string_view labels;  // their names, parted by commas, in the order in which they are written
  std::string_view help;
};

// Every label is bounded: an exit address, a target or a session is never one, and no histogram carries `chip`.
// clang-format off
#define CHIPGATE_METRICS(X)                                                                                                                             \
  /* one series a chip, or one a chip and direction or reason; reasons that never happened are left out */                                              \
  X(chipgate_tunnels_opened_total,            counter,   "chip",           "Tunnels that were answered with success.")                                  \
  X(chipgate_tunnels_open,                    gauge,     "chip",           "Tunnels that are open now.")                                                \
  X(chipgate_tunnel_bytes_total,              counter,   "chip,direction", "Bytes carried by tunnels; up is from the client.")                          \
  X(chipgate_elsewhere_bytes_total,           counter,   "chip",           "Bytes of both directions that the preset whatsapp would have saved.")       \
  X(chipgate_clients_held,                    gauge,     "chip",           "Clients waiting for the chip's assignment.")                                \
  X(chipgate_refusals_total,                  counter,   "chip,reason",    "Clients that got no tunnel, by the error's name.")                          \
  X(chipgate_tunnels_closed_total,            counter,   "chip,reason",    "Tunnels that ended, by the reason's name.")                                 \
  /* summed over the shards */                                                                                                                          \
  X(chipgate_clients_accepted_total,          counter,   "",               "Client connections accepted on all ports.")                                 \
  X(chipgate_handshakes,                      gauge,     "",               "Clients between accept and answer.")                                        \
  X(chipgate_accept_pauses_total,             counter,   "",               "Times accepting paused for want of descriptors.")                           \
  X(chipgate_gateway_dials_total,             counter,   "",               "Connections to the gateway that were begun.")                               \
  X(chipgate_gateway_dial_failures_total,     counter,   "reason",         "Dials that gave no tunnel, by the error's name.")                           \
  X(chipgate_looks_total,                     counter,   "outcome",        "Looks at chips' exits that ended, ok or failed.")                           \
  X(chipgate_gateway_stage_duration_seconds,  histogram, "stage",          "Time that clients spent in each stage of a CONNECT.")                       \
  X(chipgate_tunnel_duration_seconds,         histogram, "",               "Time from a tunnel's opening to its end.")                                  \
  X(chipgate_relay_blocked_bytes,             gauge,     "",               "Bytes held by directions whose receiver is slow.")                          \
  X(chipgate_relay_turns_total,               counter,   "",               "Turns of the shards over their ready tunnels.")                             \
  /* of the whole */                                                                                                                                    \
  X(chipgate_build_info,                      gauge,     "version",        "Always 1; the version is the label.")                                       \
  X(chipgate_chips,                           gauge,     "state",          "Chips by the state of their life cycle.")                                   \
  X(chipgate_assignments_active,              gauge,     "",               "Assignments that are open now.")                                            \
  X(chipgate_gateway_endpoint_up,             gauge,     "endpoint",       "1 where the gateway's endpoint is thought healthy.")                        \
  X(chipgate_log_dropped_total,               counter,   "",               "Log lines lost to a full queue or a failing file.")                         \
  /* of lives; the first one is the promise itself */                                                                                                   \
  X(chipgate_exit_ip_duplicates,              gauge,     "",               "Chips with tunnels that were last seen at one exit.")                       \
  X(chipgate_exit_ip_duplicates_seen_total,   counter,   "",               "Times a chip with tunnels was seen at the exit of another one.")            \
  X(chipgate_exit_verified_timestamp_seconds, gauge,     "chip",           "When the chip's exit was last confirmed, in Unix seconds.")                 \
  X(chipgate_exit_moves_total,                counter,   "",               "Assignments whose exit had become another one.")                            \
  X(chipgate_exit_exposure_seconds,           histogram, "",               "Time from the last good look to the fence, of exits that moved.")           \
  X(chipgate_draws_total,                     counter,   "outcome",        "Sessions drawn, by what became of them.")                                   \
  X(chipgate_look_verdicts_total,             counter,   "outcome",        "Looks at open assignments: same, other or unknown.")                        \
  X(chipgate_look_bytes_total,                counter,   "direction",      "Bytes of chipgate's own looks; no client's.")                               \
  X(chipgate_looking,                         gauge,     "",               "1 where exits are looked at, 0 where that is switched off.")                \
  X(chipgate_crowded_chips,                   gauge,     "",               "Chips with more than one WhatsApp session at a time.")                      \
  X(chipgate_quota_used_ratio,                gauge,     "chip",           "How much of its quota a chip has used, where it has one.")                  \
  X(chipgate_gateway_breaker_open,            gauge,     "",               "1 while the gateway or the account refuses every chip.")                    \
  X(chipgate_gateway_breaker_opened_total,    counter,   "reason",         "Times it began to refuse, by the error's name.")                            \
  X(chipgate_events_total,                    counter,   "type",           "Events of chips and of the gateway.")                                       \
  /* of the ledger */                                                                                                                                   \
  X(chipgate_ledger_commits_total,            counter,   "",               "Transactions that were committed.")                                         \
  X(chipgate_ledger_commit_failures_total,    counter,   "",               "Transactions that could not be committed.")                                 \
  X(chipgate_ledger_queue,                    gauge,     "",               "Writes that wait for their commit.")                                        \
  X(chipgate_ledger_writable,                 gauge,     "",               "1 where the last write succeeded.")                                         \
  /* under the names that every exporter uses for a process */                                                                                          \
  X(process_open_fds,                         gauge,     "",               "File descriptors that are open.")                                           \
  X(process_max_fds,                          gauge,     "",               "File descriptors that may be open.")                                        \
  X(process_resident_memory_bytes,            gauge,     "",               "Resident memory.")                                                          \
  X(process_cpu_seconds_total,                counter,   "",               "User and system CPU time.")                                                 \
  X(process_start_time_seconds,               gauge,     "",               "Start of the process, in Unix seconds.")
// clang-format on

enum class Family : std::uint8_t {
#define CHIPGATE_FAMILY(name, type, labels, help) name,
  CHIPGATE_METRICS(CHIPGATE_FAMILY)
#undef CHIPGATE_FAMILY
};

#define CHIPGATE_FAMILY(name, type, labels, help) FamilyInfo{#name, MetricType::type, labels, help},
inline constexpr auto families = std::to_array<FamilyInfo>({CHIPGATE_METRICS(CHIPGATE_FAMILY)});
#undef CHIPGATE_FAMILY

inline constexpr const FamilyInfo& info(Family family) { return families[static_cast<std::size_t>(family)]; }

// One counter for each row of the error table.
class ReasonCounters {
 public:
  void increment(ErrorKind kind) { counters_.at(static_cast<std::size_t>(kind)).increment(); }
  std::uint32_t value(ErrorKind kind) const { return counters_.at(static_cast<std::size_t>(kind)).value(); }

 private:
  std::array<SmallCounter, error_count> counters_;
};

inline constexpr std::size_t cache_line = 64;

// What one chip's port counts. Owned and written by the chip's shard, read by the scrape. It starts on its own cache
// line: chips of different shards may lie next to each other.
struct alignas(cache_line) ChipCounters {
  Counter tunnels_opened;
  Gauge tunnels_open;
  Counter bytes_up;
  Counter bytes_down;
  Counter bytes_elsewhere;  // of both, those of targets that no WhatsApp client needs
  Gauge clients_held;
  ReasonCounters refusals;
  ReasonCounters tunnels_closed;
};

// There are 10,000 of them.
static_assert(sizeof(ChipCounters) <= 640);

// What one shard counts for all its chips. Owned and written by the shard, read by the scrape.
struct alignas(cache_line) ShardCounters {
  Histogram& stage(Stage which) { return stages.at(static_cast<std::size_t>(which)); }
  const Histogram& stage(Stage which) const { return stages.at(static_cast<std::size_t>(which)); }

  Counter accepts;
  Gauge handshakes;
  Counter accept_pauses;
  Counter dials;
  Counter looks_ok;
  Counter looks_failed;
  ReasonCounters dial_failures;
  std::array<Histogram, stage_count> stages{Histogram(stage_bounds), Histogram(stage_bounds), Histogram(stage_bounds),
                                            Histogram(stage_bounds), Histogram(stage_bounds)};
  Histogram tunnel_duration{lifetime_bounds};
  Gauge blocked_bytes;
  Counter turns;
};

}  // namespace chipgate::telemetry
