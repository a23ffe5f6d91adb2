// Reading and matching destination rules.
#include "chipgate/protocol/destinations.hpp"

#include "chipgate/base/ascii.hpp"

#include <algorithm>
#include <array>

namespace chipgate::protocol {
namespace {

struct Ports {
  std::uint16_t first = 1;
  std::uint16_t last = 65535;
};

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_decimal(text, 65535);
  if (!port || *port == 0) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

std::optional<Ports> parse_ports(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return Ports{*first, *last};
}

// The host's part without brackets, and the text of the ports if there is one.
struct Pieces {
  std::string_view host;
  std::optional<std::string_view> ports;
  bool bracketed = false;
};

std::optional<Pieces> take_apart(std::string_view text) {
  // IPv6 without brackets has no port.
  if (!text.starts_with('[') && std::ranges::count(text, ':') > 1) return Pieces{text, std::nullopt};
  const auto [host, ports] = split_host_and_port(text);
  if (!host.starts_with('[')) return Pieces{host, ports};
  if (!host.ends_with(']')) return std::nullopt;
  return Pieces{host.substr(1, host.size() - 2), ports, true};
}

bool is_v6(const Network& network) { return network.text().find(':') != std::string::npos; }

// As authorities write it, so that equal names are equal texts.
std::optional<std::string> parse_name(std::string_view text) {
  constexpr std::uint16_t any_port = 1;
  auto made = make_authority(text, any_port);
  if (!made || made->is_ip_literal()) return std::nullopt;
  return std::move(made->host);
}

// *.fna.whatsapp.net is below whatsapp.net, and so are media-….cdn, mmg, pps, static and graph. Evolution API asks
// icanhazip.com before it takes a proxy; Baileys' fetchLatestBaileysVersion reads a file at raw.githubusercontent.com.
constexpr std::array<std::string_view, 6> whatsapp{"whatsapp.com:443",  "*.whatsapp.com:443",
                                                   "whatsapp.net:443",  "*.whatsapp.net:443",
                                                   "icanhazip.com:443", "raw.githubusercontent.com:443"};

constexpr std::array<DestinationPreset, 1> presets{{{"whatsapp", whatsapp}}};

const DestinationRule* first_match(const std::vector<DestinationRule>& rules, const Destination& destination) {
  const auto found = std::ranges::find_if(rules, [&](const auto& rule) { return rule.matches(destination); });
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace

Destination::Destination(const Authority& target)
    : name(target.host), address(IpAddress::parse(target.host)), port(target.port) {
  if (address) name = {};
}

std::optional<DestinationRule> DestinationRule::parse(std::string_view text) {
  const auto pieces = take_apart(text);
  if (!pieces) return std::nullopt;
  const auto ports = pieces->ports ? parse_ports(*pieces->ports) : Ports();
  if (!ports) return std::nullopt;
  DestinationRule rule;
  rule.first_port_ = ports->first;
  rule.last_port_ = ports->last;
  auto host = pieces->host;
  if (const auto network = Network::parse(host)) {
    // Brackets are for IPv6, as everywhere.
    if (pieces->bracketed && !is_v6(*network)) return std::nullopt;
    rule.kind_ = Kind::network;
    rule.network_ = *network;
    return rule;
  }
  if (pieces->bracketed) return std::nullopt;
  if (host == "*") return rule;
  const bool below = host.starts_with("*.") || host.starts_with('.');
  if (below) host.remove_prefix(host.find('.') + 1);
  auto name = parse_name(host);
  if (!name) return std::nullopt;
  rule.kind_ = below ? Kind::below : Kind::name;
  rule.name_ = below ? "." + *name : std::move(*name);
  return rule;
}

bool DestinationRule::matches(const Destination& destination) const {
  if (destination.port < first_port_ || destination.port > last_port_) return false;
  switch (kind_) {
    case Kind::everything: return true;
    case Kind::name: return destination.name == name_;
    case Kind::below: return destination.name.size() > name_.size() && destination.name.ends_with(name_);
    case Kind::network: return destination.address && network_.contains(*destination.address);
  }
  return false;
}

std::string DestinationRule::text() const {
  std::string host = "*";
  if (kind_ == Kind::name) host = name_;
  if (kind_ == Kind::below) host += name_;
  if (kind_ == Kind::network) host = network_.text();
  if (first_port_ == 1 && last_port_ == 65535) return host;
  auto ports = ":" + std::to_string(first_port_);
  if (last_port_ != first_port_) ports += "-" + std::to_string(last_port_);
  const bool v6 = kind_ == Kind::network && is_v6(network_);
  return (v6 ? "[" + host + "]" : host) + ports;
}

std::span<const DestinationPreset> destination_presets() { return presets; }

bool is_for_whatsapp(const Authority& target) {
  // Read once: it is asked about every tunnel.
  static const auto rules = [] {
    std::vector<DestinationRule> parsed;
    parsed.reserve(whatsapp.size());
    for (const auto text : whatsapp) parsed.push_back(DestinationRule::parse(text).value());
    return parsed;
  }();
  return first_match(rules, Destination(target)) != nullptr;
}

Result<void> Destinations::check(const Authority& target) const {
  if (allow.empty() && deny.empty()) return {};
  const Destination destination(target);
  if (const auto* const rule = first_match(deny, destination)) {
    return Error{ErrorKind::destination_denied, "destinations.deny has " + rule->text()};
  }
  if (allow.empty() || first_match(allow, destination) != nullptr) return {};
  std::string detail = "no rule of destinations.allow";
  // Node's socks5:// resolves names itself, and lists of names then never match.
  if (destination.address) detail += "; rules about names do not apply to addresses: use socks5h://, or a name";
  return Error{ErrorKind::destination_denied, std::move(detail)};
}

}  // namespace chipgate::protocol
