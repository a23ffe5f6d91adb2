// What goes wrong on demand: faults, whom they strike, and how often.
#pragma once

#include "chipgate/protocol/http_message.hpp"
#include "sim/options.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chipgate::sim {

// Where on its way a connection meets the fault.
enum class FaultStage : std::uint8_t {
  accept,   // the gateway's listener, before a byte is read
  tls,      // the certificate of the TLS listener
  auth,     // the credentials
  connect,  // the answer to CONNECT, or to the SOCKS request
  tunnel,   // an open tunnel
  origin,   // a request that reached the simulator's HTTP pages
};

enum class FaultKind : std::uint8_t {
  refuse,       // accept: the listening socket is closed as long as the fault stands
  silence,      // accept, connect, origin: never answered
  slow,         // accept, connect, origin: goes on after `delay`
  fin,          // accept, connect, origin: closed
  rst,          // accept, connect, origin: reset
  garbage,      // connect, origin: an answer that is none
  status,       // connect, origin: `status`, `reason`, `headers`, `body`; a 200 at connect opens the tunnel
  split,        // connect: the answer one byte at a time
  extra,        // connect: `body` in one segment with the 200, as if the target had spoken first
  socks_reply,  // connect: `rep`; an HTTP listener answers 502
  reject,       // auth: 407, or the failure of RFC 1929
  expired,      // tls
  wrong_name,   // tls
  self_signed,  // tls
  cut,          // tunnel: ended as `how` says, after `after_bytes` and `delay`
  blackhole,    // tunnel: neither read nor written any more, after `after_bytes` and `delay`
  idle_reap,    // tunnel: ended as `how` says after `delay` without a byte
  throttle,     // tunnel: `bytes_per_second`, both directions together
};

std::optional<FaultStage> parse_stage(std::string_view text);
std::optional<FaultKind> parse_kind(std::string_view text);
std::string_view name(FaultStage stage);
std::string_view name(FaultKind kind);

struct Fault {
  FaultStage stage = FaultStage::connect;
  FaultKind kind = FaultKind::status;

  unsigned status = 502;
  std::string reason{};
  protocol::Fields headers{};
  std::string body{};
  std::uint8_t rep = 1;
  Milliseconds delay{0};
  std::uint64_t after_bytes = 0;
  std::uint64_t bytes_per_second = 64 * 1024;
  CloseHow how = CloseHow::rst;

  // Whom it strikes: everybody, where nothing is said.
  std::optional<std::uint64_t> count{};  // so many times
  std::string session{};                 // part of the session's name
  std::string target{};                  // part of "host:port"
  std::optional<ListenerKind> listener{};
};

// What is known of a connection when it reaches a stage.
struct Circumstances {
  std::optional<ListenerKind> listener{};
  std::string_view session{};
  std::string_view target{};
};

struct StandingFault {
  std::uint64_t id;
  Fault fault;
  std::uint64_t struck = 0;
};

// Pure.
class FaultPlan {
 public:
  // nullopt: the kind does not belong to the stage.
  std::optional<std::uint64_t> add(Fault fault);
  // The same, and nothing else stands afterwards.
  std::optional<std::uint64_t> replace(Fault fault);
  bool remove(std::uint64_t id);
  void clear() { standing_.clear(); }
  const std::vector<StandingFault>& standing() const { return standing_; }

  // The first that fits strikes, and is used up once.
  std::optional<Fault> strike(FaultStage stage, const Circumstances& whom);
  // Without using it up: a listener is closed for as long as `refuse` stands.
  bool refuses(ListenerKind listener) const;

 private:
  std::vector<StandingFault> standing_;
  std::uint64_t next_id_ = 1;
};

}  // namespace chipgate::sim
