// Ledger: the durable record of chips, sessions, assignments and who owns an exit address.
#pragma once

#include "chipgate/base/result.hpp"
#include "chipgate/ledger/rows.hpp"
#include "chipgate/net/task.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace chipgate::ledger {

// A ledger that was here and is not the one that is here now: its file is gone, was replaced, or is an earlier copy.
struct Lost {
  std::string ledger_id;
  WallTime last_written{};
  std::uint64_t assignments = 0;
};

// What a chipgate that starts finds.
struct Restored {
  std::string ledger_id;
  WallTime created_at{};
  // The latest time that was ever written: clocks may be wrong, the ledger's times never run backwards.
  WallTime last_written{};
  std::vector<ChipRow> chips;                            // not deleted
  std::vector<AssignmentRow> live;                       // pending and open, those with closing_at among them
  std::map<ChipId, std::vector<WallTime>> recent_draws;  // assignments of the last hour, by chip, oldest first
  std::size_t quarantined = 0;
  std::uint64_t assignments = 0;  // rows in all
  // Worth a warning: sessions and quarantines of that ledger are not known here.
  std::optional<Lost> lost{};
};

enum class PutChip : std::uint8_t { created, changed, unchanged, port_taken, alias_taken };

struct PutChipAnswer {
  PutChip verdict;
  std::string holder{};  // whose the port or the alias is
};

struct Issue {
  SessionIdentifier session;
  WireSession wire;
  ChipId chip;
  WallTime at{};
};
enum class Issued : std::uint8_t { fresh, taken };

// What an address in quarantine means for a take: `oldest` of when_scarce takes it all the same.
enum class Quarantine : std::uint8_t { respected, overridden };

// Takes the leases of the row's exits and inserts the row (pending or open), both or none.
struct Take {
  AssignmentRow row;  // without id
  Quarantine quarantine = Quarantine::respected;
};
using Taken = std::variant<AssignmentId, Refused>;

struct Close {
  AssignmentId assignment;
  WallTime at{};
  std::string reason;
  std::optional<Milliseconds> exposure{};
  Traffic traffic{};  // the whole assignment's
};

// The old row is closed and the pending one opened, in one transaction.
struct Swap {
  Close old;
  AssignmentId pending;
};

struct Observe {
  ObservationRow row;
  // The observed address counts as the chip's last, and is kept from other chips for a quarantine's time.
  enum class As : std::uint8_t { note, move } as = As::note;
};

struct AssignmentFilter {
  std::optional<ChipId> chip{};
  std::optional<IpAddress> exit_ip{};
  std::optional<WallTime> at{};    // held at this time
  std::optional<WallTime> from{};  // overlapping [from, to)
  std::optional<WallTime> to{};
  std::int64_t before = 0;  // cursor: ids below, 0 for the newest
  std::size_t limit = 100;
};

// `possibly`: the address was not the assignment's own, but was observed once during it.
enum class Certainty : std::uint8_t { surely, possibly };

struct HistoryRow {
  AssignmentRow row;
  Certainty certainty = Certainty::surely;
  std::vector<ObservationRow> observations{};
};

struct EventFilter {
  std::int64_t after = 0;
  std::optional<ChipId> chip{};
  std::size_t limit = 1000;
  // Which of them, where there are more than the limit. Answered in the order of their ids either way.
  enum class End : std::uint8_t { oldest, newest } end = End::oldest;
};

struct Retention {
  WallTime assignments_before{};  // closed ones that ended earlier, but never a chip's last row
  WallTime events_before{};
  WallTime traffic_before{};
};

// How the writing has gone since it was opened.
struct Writes {
  std::uint64_t commits = 0;
  std::uint64_t failures = 0;  // transactions that were not committed
  std::uint64_t queued = 0;    // writes that have no answer yet
};

// Used on the control thread, where every answer is given too. Writes queue in the order of the calls, are committed
// together with whatever else is queued, and are answered once that commit has succeeded: what was answered survives
// kill -9 and power loss. Errors are ErrorKind::ledger_unavailable; a refusal is a value and no error.
class Ledger {
 public:
  virtual ~Ledger() = default;

  // --- chips
  // Creates the chip, or makes it as the row says; a chip that exists keeps its creation time.
  // Ports and aliases are one chip's until it is deleted; port 0 and an empty alias are nobody's.
  virtual net::Task<Result<PutChipAnswer>> put_chip(ChipRow) = 0;
  virtual net::Task<Result<bool>> arm(ChipId, Arming) = 0;  // false: there is no such chip
  virtual net::Task<Result<void>> delete_chip(ChipId, WallTime at) = 0;

  // --- an assignment's life
  // Before the session's first byte leaves.
  virtual net::Task<Result<Issued>> issue(Issue) = 0;
  // What became of an issued session that was not opened.
  virtual net::Task<Result<void>> settle(SessionIdentifier, IdentifierOutcome, std::optional<IpAddress> observed) = 0;
  // An error, too, where the session was not issued to the chip, or the chip has a row in that state already.
  virtual net::Task<Result<Taken>> take(Take) = 0;
  virtual net::Task<Result<void>> closing(AssignmentId, WallTime at, std::string reason) = 0;
  // Also of a pending row that is not wanted any more. Closing what is closed changes nothing.
  virtual net::Task<Result<void>> close(Close) = 0;
  virtual net::Task<Result<void>> swap(Swap) = 0;
  virtual net::Task<Result<void>> verified(AssignmentId, WallTime at) = 0;
  virtual net::Task<Result<void>> observe(Observe) = 0;
  // The clock jumped forward: quarantines that were not over at `ended_before` end so much later.
  virtual net::Task<Result<void>> postpone_quarantines(Milliseconds by, WallTime ended_before) = 0;
  // As far as two chips must not share it: the prefix of the address is denied.
  virtual net::Task<Result<void>> deny(DeniedExit) = 0;
  virtual net::Task<Result<bool>> allow(IpAddress) = 0;  // false: it was not denied

  // --- what is counted and told
  virtual net::Task<Result<void>> add_traffic(std::vector<TrafficRow>) = 0;
  virtual net::Task<Result<EventRow>> append(EventRow) = 0;  // with its id
  // The oldest first, and only so much at a time that other writes need not wait for long: to be asked again.
  virtual net::Task<Result<void>> retain(Retention) = 0;

  // --- history, on a connection of its own that only reads
  virtual net::Task<Result<std::vector<HistoryRow>>> assignments(AssignmentFilter) = 0;
  virtual net::Task<Result<std::vector<EventRow>>> events(EventFilter) = 0;
  // Both days are within; an empty one is no limit.
  virtual net::Task<Result<std::vector<TrafficRow>>> traffic(std::optional<ChipId>, std::string from_day,
                                                             std::string to_day) = 0;
  virtual net::Task<Result<std::vector<DeniedExit>>> denied() = 0;

  // Whether the last write succeeded.
  virtual bool writable() const = 0;
  virtual Writes writes() const = 0;
};

}  // namespace chipgate::ledger
