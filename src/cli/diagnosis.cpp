// The checks of the configuration and of the host, and the order of all.
#include "checks.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace chipgate::cli {
namespace {

std::string span_text(const PortSpan& span) {
  const auto first = std::to_string(span.first);
  return span.first == span.last ? first : first + "-" + std::to_string(span.last);
}

bool holds(const PortSpan& span, std::uint16_t port) { return port >= span.first && port <= span.last; }

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

// What another check of this host knows better, or says as well.
bool is_told_elsewhere(const config::Problem& warning, const Facts& facts) {
  return warning.key == "admin.listen" || (facts.host.ephemeral && config::is_about_ephemeral_ports(warning));
}

void check_configuration(const Facts& facts, Findings& found) {
  bool all_told = true;
  for (const auto& warning : facts.warnings) {
    if (is_told_elsewhere(warning, facts)) continue;
    all_told = false;
    const bool of_rights = warning.hint.starts_with("chmod");
    found.push_back({"configuration", Health::warning, config::text(warning),
                     of_rights ? "Do that to the file that the key names." : "Change the key that it names."});
  }
  if (!all_told) return;
  found.push_back({"configuration", Health::fine,
                   facts.warnings.empty() ? "valid, without warnings" : "valid; what it warns of is looked at below"});
}

std::set<std::uint16_t> ports_of(const config::Settings& settings, const Facts& facts) {
  std::set<std::uint16_t> ports;
  // Left to the kernel: it takes them out of that range itself, anew at every start.
  std::set<std::string_view> left_open;
  for (const auto& chip : settings.chips) {
    if (chip.port == 0) left_open.insert(chip.id.value());
    ports.insert(chip.port);
  }
  for (const auto& chip : facts.running.chips) {
    if (!left_open.contains(chip.id)) ports.insert(chip.port);
  }
  ports.erase(0);
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
  const auto setting = "net.ipv4.ip_local_reserved_ports=" + joined(reserved);
  const auto how = host.place == Place::container
                       ? "docker run --sysctl " + setting + ", or on the host where it runs with --network host"
                       : "sysctl -w " + setting + " (and in /etc/sysctl.d)";
  found.push_back(
      {"ports", Health::wrong, "any outgoing connection may take " + some_of(runs) + ", because they lie in " + range,
       "Reserve them with: " + how + ", or choose ports below " + std::to_string(host.ephemeral->first) + "."});
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

void check_ledger(const config::Settings& settings, const Facts& facts, Findings& found) {
  const auto path = settings.ledger.path.string();
  const auto& host = facts.host;
  if (answered(facts)) {
    // It knows, whoever asks.
    if (facts.running.ledger_writable) {
      found.push_back({"ledger", Health::fine, "the running chipgate writes " + path});
    } else {
      found.push_back({"ledger", Health::wrong, "the running chipgate cannot write " + path,
                       "Make room on its disk, or mount it writable; chipgate goes on by itself."});
    }
  } else if (host.ledger.access == LedgerRights::Access::no_folder) {
    found.push_back(
        {"ledger", Health::wrong, host.ledger.trouble, "Make the folder, for the user that runs chipgate."});
  } else if (host.ledger.access == LedgerRights::Access::refused) {
    found.push_back({"ledger", Health::wrong, host.ledger.trouble,
                     "Give the user that runs chipgate the right to write the file and its folder."});
  } else if (host.asker == Asker::root) {
    found.push_back({"ledger", Health::unknown, "root can write " + path + ", which says nothing of another user",
                     "Ask as the user that runs chipgate."});
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

}  // namespace

std::vector<Finding> diagnose(const config::Settings& settings, const Facts& facts) {
  Findings found;
  check_configuration(facts, found);
  check_ports(settings, facts, found);
  check_descriptors(facts, found);
  check_ledger(settings, facts, found);
  check_admin(settings, found);
  check_gateways(facts, found);
  check_running(settings, facts, found);
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
