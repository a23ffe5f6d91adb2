// The names of sessions, as people see them.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/base/ids.hpp"

#include <cstdint>
#include <optional>
#include <unordered_map>

namespace chipgate::provider {

struct SessionParts {
  ChipId chip;
  std::uint64_t number;
};

// "chip-{chip_id}-{number}" taken apart; nothing if it is not one.
std::optional<SessionParts> parse_session(const SessionIdentifier&);

// Gives session identifiers, no one twice, whatever the clock does. What an earlier process gave is the ledger's to
// know: it refuses such a name, and the next one asked for differs. Used by the control thread only.
class SessionNames {
 public:
  // The number is Unix seconds, or Unix microseconds where those are taken.
  SessionIdentifier next(const ChipId&, WallTime now);

 private:
  struct Last {
    std::uint64_t seconds = 0;
    std::uint64_t microseconds = 0;
  };
  std::unordered_map<ChipId, Last> last_;
};

}  // namespace chipgate::provider
