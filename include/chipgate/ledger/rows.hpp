// What the ledger keeps, as the rest of chipgate sees it.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/duration.hpp"
#include "chipgate/base/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chipgate::ledger {

// When a chip gets its assignment: by an operator only, for its first client, or as chipgate starts.
enum class ConnectMode : std::uint8_t { manual, on_demand, on_start };
// An operator's release disarms: clients alone get no new assignment until the next connect.
enum class Arming : std::uint8_t { armed, disarmed };

// Chips of the configuration go when it names them no more; those of the API stay until they are deleted.
enum class ChipOrigin : std::uint8_t { configured, api };

// Bytes of a UTC day or month, both directions, clients' and chipgate's own; 0 is no limit.
struct Quota {
  std::uint64_t day = 0;
  std::uint64_t month = 0;
  friend bool operator==(const Quota&, const Quota&) = default;
};

struct ChipRow {
  ChipId id;
  std::string alias{};
  std::uint16_t port = 0;
  ConnectMode connect = ConnectMode::on_demand;
  Arming arming = Arming::armed;
  ChipOrigin origin = ChipOrigin::configured;
  Quota quota{};
  WallTime created_at{};
  std::optional<WallTime> deleted_at{};
};

// The addresses that targets see, one per family; at least one is set in an assignment.
struct Exits {
  std::optional<IpAddress> v4{};
  std::optional<IpAddress> v6{};

  // Puts the address in its family's place.
  void set(const IpAddress&);
  // Of the same family, or nothing known yet.
  const std::optional<IpAddress>& of_family(const IpAddress&) const;
  friend bool operator==(const Exits&, const Exits&) = default;
};

enum class AssignmentState : std::uint8_t { pending, open, closed };

struct Traffic {
  std::uint64_t up = 0;
  std::uint64_t down = 0;
};

struct AssignmentRow {
  AssignmentId id{};
  ChipId chip;
  SessionIdentifier session{};
  WireSession wire{};
  std::string provider{};            // the preset's name
  std::string endpoint{};            // "http://host:port", where the session was drawn
  std::string credentials_digest{};  // provider::credentials_digest
  std::string instance{};            // which chipgate drew it
  AssignmentState state = AssignmentState::open;
  Exits exits{};
  WallTime assigned_at{};
  WallTime verified_at{};  // the last look that said *same*
  std::optional<WallTime> closing_at{};
  std::optional<WallTime> released_at{};
  std::string release_reason{};
  // From the last good look to the fence, where a move ended it.
  std::optional<Milliseconds> exposure{};
  Traffic traffic{};
};

// Why an exit address cannot be had.
enum class LeaseRefusal : std::uint8_t {
  in_use,       // another live assignment has it
  quarantined,  // released not long ago
  denied,       // by an operator or a ban report
  own_last,     // the chip's last one: a reconnect must differ
};

// The first of an assignment's addresses that cannot be had, and until when.
struct Refused {
  LeaseRefusal why;
  IpAddress address;
  std::string holder{};             // the chip that has it or had it
  std::optional<WallTime> until{};  // of a quarantine
};

// Whether the ledger has what was done, or will have it once it can write again.
enum class Recorded : std::uint8_t { yes, fenced_not_recorded };

enum class IdentifierOutcome : std::uint8_t { issued, opened, refused, failed };

// A look's verdict, kept: every *other*, and what a report joined to an address.
struct ObservationRow {
  std::int64_t id = 0;
  AssignmentId assignment{};
  ChipId chip;
  IpAddress address;
  WallTime at{};
  std::string echo{};  // the URL, or "reply" for an address that a CONNECT's reply named
};

struct DeniedExit {
  IpAddress address;
  WallTime at{};
  std::string reason{};
  std::string chip{};
};

// A chip's bytes of one UTC day; chipgate's own (looks, heartbeats) apart from its clients'.
struct TrafficRow {
  ChipId chip;
  std::string day;  // "2026-01-31"
  Traffic clients{};
  Traffic own{};
};

// One thing that happened, as the API streams it. Ids grow without end and have no holes that a reader could notice.
struct EventRow {
  std::int64_t id = 0;
  WallTime at{};
  std::string type;  // "chip.active", "chip.released", "chip.moved", ...
  std::optional<ChipId> chip{};
  std::string body = "{}";  // a JSON object; never a secret
};

}  // namespace chipgate::ledger
