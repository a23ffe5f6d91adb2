// The checks of what the gateway's endpoints and the echoes behind them answered.
#include "checks.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

namespace chipgate::cli {
namespace {

constexpr Milliseconds most_clock_difference{30'000};

// Reached by nobody outside, so it says nothing about how this host is seen.
bool is_public(const IpAddress& address) {
  static constexpr std::array<std::string_view, 11> inner{
      "0.0.0.0/8",      "192.0.0.0/24",  "198.18.0.0/15",  "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
      "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",   "fe80::/10"};
  return std::ranges::none_of(inner, [&](std::string_view text) { return Network::parse(text)->contains(address); }) &&
         !address.is_loopback();
}

// A gateway that carries a request answers for nothing that is behind it.
bool is_of_echo(const Error& error) {
  if (error == ErrorKind::gateway_garbled) return error.detail.starts_with("the echo");
  return error == ErrorKind::target_unreachable || error == ErrorKind::provider_denied_target;
}

// Any page may stand where a gateway should, and name no address. Of the look's own words about echoes only one says
// that a CONNECT was asked for as well, and answered.
bool may_be_no_gateway(const Error& error) {
  return error == ErrorKind::gateway_garbled && !error.detail.starts_with("the echo answered ");
}

std::string_view fix_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::no_way_to_gateway:
      return "Correct this host's own network: its route, its address or its firewall.";
    case ErrorKind::gateway_unresolved:
      return "Correct the name in gateway.endpoints, or the resolver of this host (/etc/resolv.conf).";
    case ErrorKind::gateway_tls_failed:
    case ErrorKind::gateway_certificate:
      return "Correct gateway.tls (ca_file, server_name), or the scheme of the endpoint.";
    case ErrorKind::provider_auth: return "Correct gateway.username, gateway.password and gateway.preset.";
    case ErrorKind::provider_payment: return "Pay the provider: the account has no traffic left.";
    default: break;
  }
  switch (info(error.kind).fault) {
    case Fault::provider: return "Ask the provider: it knows the account, and gives it no exit.";
    case Fault::gateway:
      return "Correct gateway.endpoints, open the firewall towards them, or ask the provider whether they are up.";
    default: return "Correct what it names on this host.";
  }
}

void check_gateway(const GatewayFacts& gateway, Findings& found) {
  const auto& [endpoint, exits, trouble, clock_ahead, not_asked] = gateway;
  if (!not_asked.empty()) {
    found.push_back({"gateway", Health::wrong, endpoint + " could not be asked: " + not_asked,
                     "Correct what it names, under gateway."});
    return;
  }
  if (exits.size() < 3 && !trouble) {
    found.push_back({"gateway", Health::unknown, endpoint + ": no echoes are configured",
                     "Write verify.echoes_v4 to have exits looked at."});
    return;
  }
  if (exits.size() < 3 && is_of_echo(*trouble)) {
    if (may_be_no_gateway(*trouble)) {
      found.push_back({"gateway", Health::unknown, endpoint + " answers, if it is a gateway", "See echoes."});
    } else {
      found.push_back({"gateway", Health::fine, endpoint + " answers"});
    }
    found.push_back({"echoes", Health::wrong, endpoint + ": " + text(*trouble),
                     "Ask the pages of verify.echoes_v4 by hand through the gateway, and name others."});
    return;
  }
  if (exits.size() < 3) {
    found.push_back({"gateway", Health::wrong, endpoint + ": " + text(*trouble), std::string(fix_of(*trouble))});
    return;
  }
  found.push_back({"gateway", Health::fine, endpoint + " answers"});
  const auto told = endpoint + ": session 1 leaves by " + exits[0].text() + ", session 2 by " + exits[1].text() +
                    ", session 1 again by " + exits[2].text();
  if (exits[0] != exits[2]) {
    found.push_back({"gateway_sticky", Health::wrong, told,
                     "Use sticky-session credentials of the provider, not those that rotate with each request."});
  } else if (exits[0] == exits[1]) {
    found.push_back(
        {"gateway_sticky", Health::wrong, told,
         "Correct gateway.preset: the username's grammar does not tell sessions apart, or the pool is tiny."});
  } else {
    found.push_back({"gateway_sticky", Health::fine, told});
  }
}

void check_exit(const Facts& facts, Findings& found) {
  std::vector<IpAddress> exits;
  for (const auto& gateway : facts.gateways) exits.insert(exits.end(), gateway.exits.begin(), gateway.exits.end());
  auto known = facts.host_ips;
  std::ranges::copy_if(facts.host.addresses, std::back_inserter(known), is_public);
  for (const auto& exit : exits) {
    if (std::ranges::find(known, exit) == known.end()) continue;
    found.push_back({"exit_is_host", Health::wrong, "a session leaves by " + exit.text() + ", this host's own address",
                     "Use another gateway: this one sends everything out by this host."});
    return;
  }
  // A host behind address translation often has a public IPv6 address, which says nothing about its IPv4 one.
  const auto incomparable = [&](const IpAddress& exit) {
    return std::ranges::none_of(known, [&](const IpAddress& own) { return own.is_v4() == exit.is_v4(); });
  };
  if (exits.empty()) {
    found.push_back({"exit_is_host", Health::unknown, "no exit was seen"});
  } else if (std::ranges::any_of(exits, incomparable)) {
    found.push_back({"exit_is_host", Health::unknown, "the interfaces have no public address of the exits' family",
                     "Say with --host-ip ADDRESS by which address this host is seen outside."});
  } else {
    found.push_back({"exit_is_host", Health::fine, "no exit is one of this host's addresses"});
  }
}

void check_clock(const Facts& facts, Findings& found) {
  // They all ask the same echoes.
  const auto told =
      std::ranges::find_if(facts.gateways, [](const auto& gateway) { return gateway.clock_ahead.has_value(); });
  if (told == facts.gateways.end()) {
    found.push_back({"clock", Health::unknown, "no echo answered with a Date",
                     "Compare it by hand (timedatectl): history and TLS rely on it."});
    return;
  }
  const auto ahead = *told->clock_ahead;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(ahead).count();
  const auto evidence =
      "this host is " + std::to_string(std::abs(seconds)) + " s " + (seconds < 0 ? "behind" : "ahead of") + " the echo";
  if (std::chrono::abs(ahead) <= most_clock_difference) {
    found.push_back({"clock", Health::fine, evidence});
  } else {
    found.push_back({"clock", Health::warning, evidence,
                     "Let a time service set the clock (timedatectl set-ntp true): history and TLS rely on it."});
  }
}

}  // namespace

std::string text(const Error& error) {
  std::string told(info(error.kind).message);
  told += " [" + std::string(info(error.kind).name) + "]";
  if (!error.detail.empty()) told += ": " + error.detail;
  return told;
}

void check_gateways(const Facts& facts, Findings& found) {
  for (const auto& gateway : facts.gateways) check_gateway(gateway, found);
  check_exit(facts, found);
  check_clock(facts, found);
}

}  // namespace chipgate::cli
