// Control: what an operator may ask of the chips, and what is told of them.
#pragma once

#include "chipgate/base/result.hpp"
#include "chipgate/ledger/ledger.hpp"
#include "chipgate/lifecycle/data_plane.hpp"
#include "chipgate/lifecycle/state.hpp"
#include "chipgate/net/task.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace chipgate::lifecycle {

using ledger::Quota;

// A chip as somebody wants it to be.
struct ChipSpec {
  ChipId id;
  std::string alias{};
  std::uint16_t port = 0;  // 0: the chip keeps its port, a new one gets the lowest free of the range
  ledger::ConnectMode connect = ledger::ConnectMode::on_demand;
  Quota quota{};
  // How many WhatsApp sessions it may have at a time, where that is not what all chips have; 0 is no limit.
  std::optional<std::uint32_t> max_whatsapp_sessions{};
};

struct AssignmentView {
  AssignmentId id{};
  SessionIdentifier session{};
  ledger::Exits exits{};
  std::string endpoint{};
  WallTime assigned_at{};
  WallTime verified_at{};
};

// A chip as it is now.
struct ChipView {
  ChipSpec spec;  // with the port that is bound
  ledger::Arming arming = ledger::Arming::armed;
  std::string proxy_url{};  // "http://127.0.0.1:20001"
  State state = State::released;
  WallTime since{};                            // of the state
  std::optional<AssignmentView> assignment{};  // open: what clients leave by, or will once it is looked at again
  std::optional<AssignmentView> pending{};     // drawn, and waiting for a quiet moment
  std::optional<Error> trouble{};              // why the chip gets no assignment, or why it is blocked
  std::optional<WallTime> retry_at{};
  std::int64_t tunnels_open = 0;
  std::int64_t clients_held = 0;
  // Since when an assigned chip has no tunnel; nothing while one is open, or nothing is assigned. A restart begins
  // anew.
  std::optional<WallTime> quiet_since{};
  ledger::Traffic traffic_today{};  // clients and own together
  ledger::Traffic traffic_month{};
};

// Why an operator's wish was not followed.
enum class Denial : std::uint8_t {
  unknown_chip,        // 404
  not_current,         // 409: the assignment_id is not the chip's current one
  port_taken,          // 409, by another chip or another program
  port_out_of_range,   // 400
  alias_taken,         // 409
  bad_id,              // 400: the provider's grammar could read it as something else
  not_released,        // 409: the port of a chip with an assignment cannot change
  capped,              // 429: the chip had its assignments of this hour, and the wish was not forced
  configured,          // 409: the chip stands in the configuration, and is removed there
  ledger_unavailable,  // 503: nothing was changed
};

struct Denied {
  Denial why;
  std::string message{};  // for a person
  std::string field{};    // "port", "id", "alias", "assignment_id"
};

template <class T>
using Wish = std::variant<T, Denied>;

enum class Put : std::uint8_t { created, changed, unchanged };
struct PutAnswer {
  Put what;
  ChipView chip;
};

// Whether the limits that protect the account may be passed: the chip's hourly cap and retry_min.
enum class Urgency : std::uint8_t { normal, forced };

// The chip after the wait: state active or renewing with its assignment, else acquiring or blocked with the trouble.
using ConnectAnswer = Wish<ChipView>;

using ledger::Recorded;
struct Released {
  std::optional<AssignmentId> assignment{};  // nothing where nothing was open
  Recorded recorded = Recorded::yes;
};

enum class LookVerdict : std::uint8_t { same, other, unknown };
struct VerifyAnswer {
  LookVerdict verdict = LookVerdict::unknown;
  std::optional<IpAddress> address{};
  std::optional<Error> error{};  // of unknown
};

struct Report {
  std::string kind;  // "banned" denies the address for good; "suspect" only looks again
  std::string note{};
  std::optional<AssignmentId> assignment{};  // the current or last one where it is not said
};

struct GatewayView {
  struct Endpoint {
    std::string name;
    bool up = true;
  };
  std::string preset;
  std::vector<Endpoint> endpoints{};
  // The breaker: what the provider says about the account, and when it is asked again.
  std::optional<Error> account{};
  std::optional<WallTime> retry_at{};
  std::size_t draws_waiting = 0;
};

// Called on the control thread.
class EventListener {
 public:
  virtual void on_event(const ledger::EventRow&) = 0;

 protected:
  ~EventListener() = default;
};

// All of it on the control thread. Implemented by the Service.
class Control {
 public:
  virtual ~Control() = default;

  virtual std::vector<ChipView> chips() const = 0;  // in the order of their ids
  virtual std::optional<ChipView> chip(const ChipId&) const = 0;
  virtual net::Task<Wish<PutAnswer>> put(ChipSpec) = 0;
  // Fences, closes the row, frees the port. Waits for all of it.
  virtual net::Task<Wish<Released>> remove(ChipId) = 0;

  // Idempotent; answers as soon as the chip is active, is blocked, or the wait is over.
  virtual net::Task<ConnectAnswer> connect(ChipId, Milliseconds wait, Urgency) = 0;
  virtual net::Task<Wish<Released>> release(ChipId, std::optional<AssignmentId>) = 0;
  virtual net::Task<ConnectAnswer> rotate(ChipId, std::optional<AssignmentId>, Milliseconds wait, Urgency) = 0;
  virtual net::Task<Wish<VerifyAnswer>> verify(ChipId) = 0;
  // The address that was denied, where the report denies one.
  virtual net::Task<Wish<std::optional<IpAddress>>> report(ChipId, Report) = 0;

  virtual net::Task<std::vector<TunnelView>> tunnels(std::optional<ChipId>) = 0;
  virtual net::Task<bool> cut(TunnelId) = 0;  // false: there is no such tunnel

  virtual GatewayView gateway() const = 0;

  virtual void subscribe(EventListener&) = 0;
  virtual void unsubscribe(EventListener&) = 0;
};

}  // namespace chipgate::lifecycle
