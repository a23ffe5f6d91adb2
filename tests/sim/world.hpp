// Everything that the simulator's connections share.
#pragma once

#include "chipgate/net/listener.hpp"
#include "sim/certificates.hpp"
#include "sim/connection.hpp"
#include "sim/faults.hpp"
#include "sim/log.hpp"
#include "sim/names.hpp"
#include "sim/sessions.hpp"
#include "sim/tls_server.hpp"

#include <map>
#include <vector>

namespace chipgate::sim {

struct Stats {
  std::uint64_t accepted = 0;  // by the gateway's listeners
  std::uint64_t connects = 0;  // asked: CONNECT or a SOCKS request
  std::uint64_t tunnels_opened = 0;
  std::uint64_t tunnels_open = 0;
  std::uint64_t requests = 0;  // absolute-form
  std::uint64_t auth_failures = 0;
  std::uint64_t malformed = 0;
  std::uint64_t accept_pauses = 0;  // no descriptor left
  std::uint64_t faults = 0;         // struck
  std::uint64_t origin_connections = 0;
  std::uint64_t origin_direct = 0;  // that came past the gateway
};

struct Expected {
  std::string target;
  std::string session;  // empty: a rotating exit
};

// One thread: the simulator's.
struct World {
  explicit World(const SimulatorOptions& chosen)
      : options(chosen), sessions(chosen.sessions), log(chosen), tls(authority), scratch(64 * 1024) {}

  std::optional<Fault> strike(FaultStage stage, const Circumstances& whom) {
    auto fault = faults.strike(stage, whom);
    if (fault) ++stats.faults;
    return fault;
  }

  const SimulatorOptions options;
  net::Shard shard;
  net::PausedListeners paused{shard, [this] { ++stats.accept_pauses; }};
  Connections connections;
  Sessions sessions;
  FaultPlan faults;
  NameMap names;
  OriginLog log;
  CertificateAuthority authority;
  TlsServer tls;
  Stats stats;

  SocketAddress origin;
  // Dialed by the gateway and not yet accepted by the origin: what was asked for from the exit's source address.
  std::map<SocketAddress, Expected> expected;
  std::uint64_t next_connection = 1;
  // Borrowed until the next suspension: pumps copy through it. Larger than the shard's, for fewer system calls.
  std::vector<char> scratch;
};

}  // namespace chipgate::sim
