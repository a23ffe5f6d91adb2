// One function for each part of the file.
#pragma once

#include "chipgate/config/settings.hpp"
#include "map.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace chipgate::config {

struct NumberRange {
  std::uint64_t first;
  std::uint64_t last;
};

// "20001-20500", or one number.
std::optional<NumberRange> parse_range(std::string_view text, std::uint64_t largest);

// Where the value of a secret stands in a file that others may read.
void warn_of_readers(const Map& map, std::string_view key);
// What stands at the key, or in the file that `{key}_file` names.
Secret read_secret(const Map& map, std::string_view key);
// `password` or `password_file` of a mapping.
Secret read_password(const Map& map);

proxy::ListenOptions read_listen(const Map& listen);
PortRange read_port_range(const Map& listen);
proxy::ProxyOptions read_proxy(const Map& root);
protocol::Destinations read_destinations(const Map& destinations);
relay::RelayOptions read_relay(const Map& timeouts);
telemetry::LogOptions read_log(const Map& log);
admin::AdminOptions read_admin(const Map& admin);
// Where it is and with which token: all that commands want.
admin::AdminOptions read_control_port(const Map& admin);

provider::ProviderOptions read_provider(const Map& gateway);
gateway::GatewayOptions read_gateway(const Map& gateway, const provider::ProviderOptions& provider);
// Reports what the provider's rules refuse; the answer judges chip ids, as far as one can be made.
std::optional<provider::Provider> check_provider(const Map& gateway, const provider::ProviderOptions& options);

struct ChipSurroundings {
  IpAddress address;
  SocketAddress admin;
  PortRange range;
  std::optional<provider::Provider> provider;
};

ledger::LedgerOptions read_ledger(const Map& ledger);
lifecycle::LifeOptions read_life(const Map& root);
ledger::Quota read_quota(const Map& quota);
// Nothing where the mapping does not say it; 0 is no limit.
std::optional<std::uint32_t> read_whatsapp_sessions(const Map& map);
// "500MB": kB, MB, GB and TB are powers of 1000, as providers sell them.
std::optional<std::uint64_t> parse_size(std::string_view text);

struct FileChips {
  std::vector<lifecycle::ChipSpec> chips{};  // with a port for each
  std::set<ChipId> ports_of_range{};         // whose port the file leaves open
};
FileChips read_chips(const Map& root, const ChipSurroundings& surroundings);

}  // namespace chipgate::config
