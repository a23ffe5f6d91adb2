// Chip: all that the control thread knows of one chip.
#pragma once

#include "chipgate/gateway/route.hpp"
#include "chipgate/ledger/rows.hpp"
#include "chipgate/lifecycle/bell.hpp"
#include "chipgate/lifecycle/breaker.hpp"
#include "chipgate/lifecycle/control.hpp"
#include "chipgate/lifecycle/machine.hpp"
#include "chipgate/lifecycle/pace.hpp"

#include <memory>
#include <optional>
#include <string>

namespace chipgate::telemetry {
class Log;
}

namespace chipgate::lifecycle {

// A row of the ledger that is live, with what clients need of it.
struct Assignment {
  AssignmentId id{};
  SessionIdentifier session{};
  EndpointIndex endpoint{};
  ledger::Exits exits{};
  gateway::RoutePtr route{};
  WallTime assigned_at{};
  WallTime verified_at{};
  TimePoint opened{};
  TimePoint verified{};
  // What the chip had carried when it opened.
  ledger::Traffic before{};
};

// What a chip has carried: its clients', and chipgate's own looks apart.
struct Meter {
  ledger::Traffic earlier_ports{};    // of its clients, on ports that it has left
  ledger::Traffic clients_flushed{};  // of its clients, what the ledger has
  ledger::Traffic own{};              // since the start
  ledger::Traffic own_flushed{};
  ledger::Traffic today{};  // both, as far as the ledger has it
  ledger::Traffic month{};
};

// Why its assignment ends: for the row, for those whose tunnels are cut, and for the next start.
struct Ending {
  std::string reason{};
  ErrorKind told = ErrorKind::fenced;
  std::optional<Milliseconds> exposure{};
};

struct Chip {
  Chip(boost::asio::io_context& control, ChipSpec what, ChipIndex where)
      : spec(std::move(what)), index(where), bell(control) {}

  bool usable() const { return phase == Phase::active || phase == Phase::renewing; }
  // On its way out for good.
  bool leaves() const { return phase == Phase::removing || phase == Phase::removed; }
  // The ledger could not write something of it. Whoever waits for its end hears that once nothing of it is open.
  void not_recorded(telemetry::Log& log, const Error& why);

  ChipSpec spec;
  ChipIndex index;
  ledger::ChipOrigin origin = ledger::ChipOrigin::configured;
  ledger::Arming arming = ledger::Arming::armed;
  // What the ledger has of it; nothing while that is not sure.
  std::optional<ledger::Arming> arming_recorded{};
  // How often its operator released it, so that a wish that was being written meanwhile sees that it is the older one.
  unsigned releases = 0;

  Phase phase = Phase::released;
  WallTime since{};
  Epoch epoch{1};
  std::optional<Assignment> current{};
  std::optional<Assignment> successor{};
  Ending ending{};

  ChipPace pace{};
  Urgency urgency = Urgency::normal;
  std::optional<Error> trouble{};
  std::optional<TimePoint> retry_at{};  // of the next round, while acquiring
  TimePoint next_look{};
  TimePoint dial_failed{};                // of a client, for want of the gateway
  unsigned failed_looks = 0;              // in a row
  unsigned failed_at_gateway = 0;         // the last of them
  std::optional<TimePoint> lost_since{};  // its exit, as the provider says
  std::optional<TimePoint> mute_since{};  // its looks have heard no word
  TimePoint renew_at{};                   // not before, after a renewal that failed
  TimePoint wanted_at{};                  // when a client last waited for it
  // What an echo or a reply last said, whatever the ledger has.
  std::optional<IpAddress> observed{};
  // Operators who wait for it to be active.
  unsigned awaited = 0;
  // Coroutines that draw, look or renew for it. An ending waits for them.
  unsigned working = 0;
  enum class Busy : std::uint8_t { no, yes };
  Busy drawing = Busy::no;
  Busy looking = Busy::no;
  Busy renewing = Busy::no;   // also what a doubt has called off and is not done yet
  Busy changing = Busy::no;   // its row: see Changing
  Busy insisting = Busy::no;  // on its arming
  // Of the breaker, if what is under way was let through while it is open.
  Breaker::Ticket canary{};
  Breaker::Company company = Breaker::Company::may_have;
  // When what is due may be begun, where it is one of many.
  std::optional<TimePoint> turn{};
  // Something of it may be open: from the first route until a fence is done.
  bool admits = false;
  // Fenced, and the ledger could not write it yet.
  ledger::Recorded recorded = ledger::Recorded::yes;
  // What has been told about it, so that it is told once.
  std::uint32_t crowd = 0;
  enum class QuotaTold : std::uint8_t { nothing, warned, reached };
  QuotaTold quota_told = QuotaTold::nothing;

  Meter meter{};
  Bell bell;
};

// Shared with the coroutines that work for the chip, which may outlast its removal.
using ChipPtr = std::shared_ptr<Chip>;

}  // namespace chipgate::lifecycle
