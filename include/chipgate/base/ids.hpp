// The names of things: chips, sessions, ports, epochs.
#pragma once

#include "chipgate/base/strong.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chipgate {

// One WhatsApp number, as the operator calls it: a UUID or [A-Za-z0-9_.-]{1,64}.
class ChipId {
 public:
  static std::optional<ChipId> parse(std::string_view text);

  const std::string& value() const { return value_; }

  friend auto operator<=>(const ChipId&, const ChipId&) = default;
  friend bool operator==(const ChipId&, const ChipId&) = default;

 private:
  explicit ChipId(std::string value) : value_(std::move(value)) {}
  std::string value_;
};

// chip-{chip_id}-{number}: what people see. Never used twice.
using SessionIdentifier = Strong<struct SessionIdentifierTag, std::string>;
// What the gateway's username carries: the session identifier, or random within the provider's alphabet.
using WireSession = Strong<struct WireSessionTag, std::string>;
// Raised by every fence of a chip; nothing made under an older epoch may answer or write any more.
using Epoch = Strong<struct EpochTag, std::uint64_t>;
// Which of the gateway's endpoints, by its place in the configuration.
using EndpointIndex = Strong<struct EndpointIndexTag, std::uint32_t>;
// A row of the ledger's assignments.
using AssignmentId = Strong<struct AssignmentIdTag, std::int64_t>;
// A chip by its place in the order in which chips were made known to the data plane.
using ChipIndex = Strong<struct ChipIndexTag, std::uint32_t>;

}  // namespace chipgate

template <>
struct std::hash<chipgate::ChipId> {
  std::size_t operator()(const chipgate::ChipId& id) const { return std::hash<std::string>{}(id.value()); }
};
