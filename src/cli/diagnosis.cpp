// The checks.
#include "chipgate/cli/diagnosis.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <string_view>

namespace chipgate::cli {
namespace {

constexpr Milliseconds most_clock_difference{30'000};
constexpr std::size_t most_named = 20;

using Findings = std::vector<Finding>;

// "a, b, c and 17 more": a fleet does not fit on a screen.
std::string some_of(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < std::min(words.size(), most_named); ++i) text += (i == 0 ? "" : ", ") + words[i];
  if (words.size() > most_named) text += " and " + std::to_string(words.size() - most_named) + " more";
  return text;
}

std::string span_text(const PortSpan& span) {
  const auto first = std::to_string(span.first);
  return span.first == span.last ? first : first + "-" + std::to_string(span.last);
}

bool holds(const PortSpan& span, std::uint16_t port) { return port >= span.first && port <= span.last; }

// Reached by nobody outside, so it says nothing about how this host is seen.
bool is_public(const IpAddress& address) {
  static constexpr std::array<std::string_view, 8> inner{"10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",
                                                         "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
                                                         "fc00::/7",       "fe80::/10"};
  return std::ranges::none_of(inner, [&](std::string_view text) { return Network::parse(text)->contains(address); }) &&
         !address.is_loopback();
}

bool answered(const Facts& facts) { return facts.running.trouble.empty(); }

// "20001", "20005-20009": neighbours as one.
std::vector<std::string> runs_of(const std::set<std::uint16_t>& ports) {
  std::vector<PortSpan> runs;
  for (const auto port : ports) {
    if (!runs.empty() && runs.back().last + 1 == port) {
      runs.back().last = port;
    } else {
      runs.push_back({port, port});
    }
  }
  std::vector<std::string> texts;
  texts.reserve(runs.size());
  for (const auto& run : runs) texts.push_back(span_text(run));
  return texts;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

void check_configuration(const Facts& facts, Findings& found) {
  for (const auto& warning : facts.warnings) {
    found.push_back({"configuration", Health::warning, warning, "Change the key that it names."});
  }
  if (facts.warnings.empty()) found.push_back({"configuration", Health::fine, "valid, without warnings"});
}

std::set<std::uint16_t> ports_of(const config::Settings& settings, const Facts& facts) {
  std::set<std::uint16_t> ports;
  for (const auto& chip : settings.chips) ports.insert(chip.port);
  for (const auto& chip : facts.running.chips) ports.insert(chip.port);
  ports.erase(0);  // left to the kernel
  return ports;
}

void check_ports(const config::Settings& settings, const Facts& facts, Findings& found) {
  const auto& host = facts.host;
  if (!host.ephemeral) {
    found.push_back({"ports", Health::unknown, "the kernel does not say its range of ephemeral ports"});
    return;
  }
  const auto ports = ports_of(settings, facts);
  std::set<std::uint16_t> exposed;
  for (const auto port : ports) {
    const auto is_in = [port](const PortSpan& span) { return holds(span, port); };
    if (is_in(*host.ephemeral) && std::ranges::none_of(host.reserved, is_in)) exposed.insert(port);
  }
  const auto range = "the kernel's range " + span_text(*host.ephemeral);
  if (exposed.empty()) {
    found.push_back({"ports", Health::fine, std::to_string(ports.size()) + " ports, none of them open to " + range});
    return;
  }
  // The setting is one list: what is reserved already must stay in it.
  std::vector<std::string> reserved;
  reserved.reserve(host.reserved.size());
  for (const auto& span : host.reserved) reserved.push_back(span_text(span));
  const auto runs = runs_of(exposed);
  reserved.insert(reserved.end(), runs.begin(), runs.end());
  found.push_back(
      {"ports", Health::wrong, "any outgoing connection may take " + some_of(runs) + ", because they lie in " + range,
       "Reserve them with: sysctl -w net.ipv4.ip_local_reserved_ports=" + joined(reserved) +
           " (and in /etc/sysctl.d), or choose ports below " + std::to_string(host.ephemeral->first) + "."});
}

void check_descriptors(const Facts& facts, Findings& found) {
  const auto running = answered(facts);
  const auto has = running ? facts.running.descriptors : facts.host.descriptors;
  const auto evidence = std::string(running ? "the running chipgate" : "a process of this user") + " may have " +
                        std::to_string(has) + ", and the chips need " + std::to_string(facts.descriptors_needed);
  if (has >= facts.descriptors_needed) {
    found.push_back({"descriptors", Health::fine, evidence});
  } else {
    found.push_back({"descriptors", Health::wrong, evidence,
                     "Raise the hard limit (LimitNOFILE of systemd, --ulimit nofile of Docker, ulimit -Hn)."});
  }
}

void check_gateway(const GatewayFacts& gateway, Findings& found) {
  const auto& [endpoint, exits, trouble, clock_ahead] = gateway;
  if (exits.size() < 3) {
    found.push_back({"gateway", Health::wrong, endpoint + ": " + trouble,
                     "Correct gateway.endpoints and the credentials, or ask the provider whether it is up."});
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

void check_ledger(const config::Settings& settings, const Facts& facts, Findings& found) {
  const auto path = settings.ledger.path.string();
  if (!facts.host.ledger_trouble.empty()) {
    found.push_back({"ledger", Health::wrong, facts.host.ledger_trouble,
                     "Give the user that runs chipgate the right to write the file and its folder."});
  } else if (answered(facts) && !facts.running.ledger_writable) {
    found.push_back({"ledger", Health::wrong, "the running chipgate cannot write " + path,
                     "Make room on its disk, or mount it writable; chipgate goes on by itself."});
  } else {
    found.push_back({"ledger", Health::fine, path + " can be written"});
  }
}

void check_admin(const config::Settings& settings, Findings& found) {
  const auto& admin = settings.admin;
  const auto where = admin::listen_text(admin);
  if (admin.unix_socket.empty() && !admin.listen.ip.is_loopback()) {
    found.push_back({"admin_exposed", Health::warning, "the control port listens on " + where + ", in clear text",
                     "Set admin.listen to 127.0.0.1:9310 or unix:PATH, or put TLS before it."});
  } else {
    found.push_back({"admin_exposed", Health::fine, "the control port is on " + where});
  }
}

void check_running(const Facts& facts, Findings& found) {
  if (!answered(facts)) {
    found.push_back({"running", Health::unknown, facts.running.trouble,
                     "Start chipgate, or let the doctor read its token, to have silent ports and duplicates checked."});
    return;
  }
  const auto& running = facts.running;
  found.push_back({"running", Health::fine, "answers, with " + std::to_string(running.chips.size()) + " chips"});
  std::vector<std::string> silent;
  for (const auto& chip : running.chips) {
    if (!chip.quiet || *chip.quiet < facts.silent_for) continue;
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(*chip.quiet);
    silent.push_back(chip.id + " (port " + std::to_string(chip.port) + ", " + format_duration(whole) + ")");
  }
  if (silent.empty()) {
    found.push_back({"silent_chips", Health::fine,
                     "no assigned chip has been without a tunnel for " + format_duration(facts.silent_for)});
  } else {
    found.push_back(
        {"silent_chips", Health::wrong, "assigned, and without a tunnel: " + some_of(silent),
         "If such a number is online, its client goes round its port: see docs/bypass.md; else release it."});
  }
  const auto duplicates = std::to_string(running.duplicates);
  if (running.duplicates == 0) {
    found.push_back({"duplicates", Health::fine, "no two chips were last seen at one exit"});
  } else {
    found.push_back({"duplicates", Health::wrong, duplicates + " chips with tunnels were last seen at one exit",
                     "Rotate them (chipgate chips rotate), and read exit_shared in chipgate's log."});
  }
}

}  // namespace

std::vector<Finding> diagnose(const config::Settings& settings, const Facts& facts) {
  Findings found;
  check_configuration(facts, found);
  check_ports(settings, facts, found);
  check_descriptors(facts, found);
  check_ledger(settings, facts, found);
  check_admin(settings, found);
  for (const auto& gateway : facts.gateways) check_gateway(gateway, found);
  check_exit(facts, found);
  check_clock(facts, found);
  check_running(facts, found);
  return found;
}

Finding unreadable_configuration(const std::vector<std::string>& problems) {
  std::string evidence;
  for (const auto& problem : problems) evidence += (evidence.empty() ? "" : "; ") + problem;
  return {"configuration", Health::wrong, evidence, "Correct what it names; nothing else was looked at."};
}

bool all_well(const std::vector<Finding>& findings) {
  return std::ranges::none_of(findings, [](const auto& finding) { return finding.health == Health::wrong; });
}

}  // namespace chipgate::cli
