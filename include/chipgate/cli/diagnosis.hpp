// Diagnosis: what is wrong with a host, found from facts that were gathered before.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/errors.hpp"
#include "chipgate/config/problem.hpp"
#include "chipgate/config/settings.hpp"
#include "chipgate/lifecycle/state.hpp"

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace chipgate::cli {

// `unknown` could not be looked at, which is no fault: a chipgate that does not run yet has no silent ports.
enum class Health : std::uint8_t { fine, unknown, warning, wrong };

struct Finding {
  std::string what;  // snake_case, the same in every version
  Health health;
  std::string evidence;
  std::string fix{};  // one sentence; empty where nothing has to be done
};

// Both ends belong to it.
struct PortSpan {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
};

// What the rights of whoever asks say of the ledger.
struct LedgerRights {
  enum class Access : std::uint8_t { granted, refused, no_folder } access = Access::granted;
  std::string trouble{};  // why its file or folder cannot be written
};
// Root may write what the user that runs chipgate may not.
enum class Asker : std::uint8_t { somebody, root };

// In a container its own settings of the kernel cannot be written from within.
enum class Place : std::uint8_t { host, container };

struct HostFacts {
  std::optional<PortSpan> ephemeral{};  // nothing where the kernel does not say
  std::vector<PortSpan> reserved{};     // never given to outgoing connections
  std::uint64_t descriptors = 0;        // the hard limit of whoever asks
  std::vector<IpAddress> addresses{};   // of the interfaces, without loopback
  LedgerRights ledger{};
  Asker asker = Asker::somebody;
  Place place = Place::host;
};

// Of one endpoint.
struct GatewayFacts {
  std::string endpoint{};
  std::vector<IpAddress> exits{};             // of session 1, of session 2, of session 1 again, as far as they came
  std::optional<Error> trouble{};             // why there are fewer than three; nothing where there is no echo to ask
  std::optional<Milliseconds> clock_ahead{};  // this host's clock before the echo's; nothing where the echo has no Date
  std::string not_asked{};                    // why it could not so much as be asked
};

struct RunningChip {
  std::string id;
  std::uint16_t port = 0;
  std::optional<Milliseconds> quiet{};  // assigned, and without a tunnel for so long
  lifecycle::State state = lifecycle::State::active;
  std::uint64_t clients_held = 0;
  ledger::Arming arming = ledger::Arming::armed;
  std::uint64_t bytes_this_month = 0;
};

struct RunningFacts {
  std::string trouble{};  // why it could not be asked; empty where it answered, and only then the rest is filled in
  std::vector<RunningChip> chips{};
  std::string account_trouble{};  // what the provider says against the account; empty while it serves it
  std::uint64_t descriptors = 0;
  std::uint64_t duplicates = 0;
  bool ledger_writable = true;
};

struct Facts {
  config::Problems warnings{};  // of the configuration
  HostFacts host{};
  std::vector<GatewayFacts> gateways{};  // one for each endpoint
  RunningFacts running{};
  std::uint64_t descriptors_needed = 0;
  std::vector<IpAddress> host_ips{};  // by which this host is seen outside, as far as its operator said
  Milliseconds silent_for{};          // how long an assigned chip may be without a tunnel
};

// "the gateway refuses connections [gateway_refused]: and the detail"
std::string text(const Error& error);

// One finding or more of every check, in the order of the documentation.
std::vector<Finding> diagnose(const config::Settings& settings, const Facts& facts);
// What a configuration that cannot be read leaves to say.
Finding unreadable_configuration(const std::vector<std::string>& problems);

bool all_well(const std::vector<Finding>& findings);

void print_findings(std::ostream& out, const std::vector<Finding>& findings);
// {"ok": false, "findings": [{"what", "health", "evidence", "fix"}]}, in one line.
void print_findings_json(std::ostream& out, const std::vector<Finding>& findings);

}  // namespace chipgate::cli
