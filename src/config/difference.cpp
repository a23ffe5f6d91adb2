// The table of what is compared, and the difference.
#include "chipgate/config/difference.hpp"

#include "same.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace chipgate::config {
namespace {

using std::string;
using std::string_view;

struct Setting {
  string_view key;
  bool (*same)(const Settings&, const Settings&);
  void (*take_on)(Settings& into, const Settings& from);  // none: it waits for a restart
};

template <auto get>
constexpr Setting live(string_view key) {
  return {key, [](const Settings& one, const Settings& other) { return same(get(one), get(other)); },
          [](Settings& into, const Settings& from) { get(into) = get(from); }};
}

template <auto get>
constexpr Setting at_start(string_view key) {
  return {key, [](const Settings& one, const Settings& other) { return same(get(one), get(other)); }, nullptr};
}

#define LIVE(key, member) live<[](auto& settings) -> auto& { return settings.member; }>(key)
#define AT_START(key, member) at_start<[](auto& settings) -> auto& { return settings.member; }>(key)

// clang-format off
constexpr std::array table{
    AT_START("listen.address", proxy.listen.address),
    LIVE("listen.ports", chip_ports),
    AT_START("listen.behind_userland_proxy", proxy.listen.reach),
    AT_START("listen.client_credentials", proxy.listen.credentials),
    AT_START("listen.allow_clients", proxy.listen.allow_clients),
    AT_START("gateway.preset", provider.preset),
    AT_START("gateway.endpoints", gateway.endpoints),
    AT_START("gateway.username", provider.username),
    AT_START("gateway.password", provider.password),
    AT_START("gateway.country", provider.country),
    AT_START("gateway.city", provider.city),
    AT_START("gateway.lifetime", provider.lifetime),
    AT_START("gateway.tls", gateway.tls),
    AT_START("gateway.connect_timeout", gateway.connect_timeout),
    AT_START("gateway.resolve_every", gateway.resolve_every),
    AT_START("gateway.username_template", provider.username_template),
    AT_START("gateway.password_template", provider.password_template),
    AT_START("gateway.session", provider.session),
    AT_START("ledger.path", ledger.path),
    AT_START("ledger.quarantine", ledger.quarantine),
    AT_START("ledger.prefix_v4", ledger.prefix_v4),
    AT_START("ledger.prefix_v6", ledger.prefix_v6),
    AT_START("ledger.retention", ledger.retention),
    AT_START("verify.enabled", life.verify.looking),
    LIVE("verify.interval", life.verify.interval),
    LIVE("verify.max_age", life.verify.max_age),
    LIVE("verify.lost_after", life.verify.lost_after),
    LIVE("verify.timeout", life.verify.timeout),
    LIVE("verify.echoes_v4", life.verify.echoes_v4),
    LIVE("verify.echoes_v6", life.verify.echoes_v6),
    LIVE("verify.on_change", life.verify.on_change),
    LIVE("draws.per_round", life.draw.per_round),
    LIVE("draws.retry_min", life.draw.retry_min),
    LIVE("draws.retry_max", life.draw.retry_max),
    LIVE("draws.per_second", life.draw.per_second),
    LIVE("draws.per_chip_and_hour", life.draw.per_chip_and_hour),
    LIVE("draws.when_scarce", life.draw.when_scarce),
    LIVE("keep.release_after", life.keep.release_after),
    LIVE("keep.unused", life.keep.unused),
    LIVE("limits.tunnels", proxy.limits.tunnels),
    LIVE("limits.tunnels_per_chip", proxy.limits.tunnels_per_chip),
    LIVE("limits.handshakes_per_chip", proxy.limits.handshakes_per_chip),
    LIVE("limits.held_per_chip", proxy.limits.held_per_chip),
    LIVE("limits.max_whatsapp_sessions", proxy.limits.max_whatsapp_sessions),
    LIVE("limits.crowd_age", proxy.crowd_age),
    LIVE("destinations.allow", proxy.destinations.allow),
    LIVE("destinations.deny", proxy.destinations.deny),
    AT_START("timeouts.connect_budget", proxy.connect_budget),
    LIVE("timeouts.head", proxy.head_timeout),
    AT_START("timeouts.idle", relay.idle_timeout),
    AT_START("timeouts.half_closed", relay.half_closed),
    AT_START("timeouts.first_reply", relay.first_reply),
    LIVE("timeouts.drain", proxy.drain_deadline),
    LIVE("fail_style", proxy.fail_style),
    AT_START("workers", proxy.workers),
    LIVE("log.level", log.level),
    AT_START("log.format", log.format),
    LIVE("log.access", log.access),
    AT_START("log.path", log.path),
    AT_START("admin.listen", admin.listen),
    AT_START("admin.listen", admin.unix_socket),
    AT_START("admin.hosts", admin.hosts),
    AT_START("admin.token", admin.token),
    AT_START("admin.token_file", admin.token_file),
    LIVE("admin.price_per_gb", admin.price),
    LIVE("admin.webhook", admin.webhook),
};
// clang-format on

#undef LIVE
#undef AT_START

void compare_settings(const Settings& old, const Settings& wanted, Difference& found) {
  // What is looked at, and how often, is of no use to chips that nobody looks at; and the echoes of a file that
  // switches looking off may be none.
  const bool looking_waits = old.life.verify.looking != wanted.life.verify.looking;
  for (const auto& setting : table) {
    if (setting.same(old, wanted)) continue;
    const bool waits = setting.take_on == nullptr || (looking_waits && setting.key.starts_with("verify."));
    auto& keys = waits ? found.restart_needed : found.settings;
    if (std::ranges::find(keys, setting.key) == keys.end()) keys.emplace_back(setting.key);
    if (!waits) setting.take_on(found.in_force, wanted);
  }
}

std::map<ChipId, const lifecycle::ChipSpec*> by_id(const std::vector<lifecycle::ChipSpec>& chips) {
  std::map<ChipId, const lifecycle::ChipSpec*> found;
  for (const auto& chip : chips) found.emplace(chip.id, &chip);
  return found;
}

void compare_chips(const Settings& old, const Settings& wanted, Difference& found) {
  const auto before = by_id(old.chips);
  const auto after = by_id(wanted.chips);
  for (const auto& chip : old.chips) {
    if (!after.contains(chip.id)) found.removed.push_back(chip.id);
  }
  for (const auto& chip : wanted.chips) {
    const auto known = before.find(chip.id);
    auto& holds = found.in_force.chips.emplace_back(chip);
    if (known == before.end()) {
      found.added.push_back(chip);
      continue;
    }
    const auto& was = *known->second;
    // Its clients, and its tunnels, are at the old one.
    if (chip.port != was.port) found.restart_needed.push_back("chips[" + chip.id.value() + "].port");
    holds.port = was.port;
    const auto rules = [](const lifecycle::ChipSpec& spec) {
      return std::tie(spec.alias, spec.connect, spec.quota, spec.max_whatsapp_sessions);
    };
    if (rules(chip) != rules(was)) found.changed.push_back(holds);
  }
}

// The free ports of a range, the lowest first, and last those that somebody may still be pointed at.
std::vector<std::uint16_t> free_ports(PortRange range, const std::set<std::uint16_t>& taken,
                                      const std::set<std::uint16_t>& rather_not) {
  std::vector<std::uint16_t> free;
  for (std::uint32_t port = range.first; port <= range.last; ++port) {
    if (!taken.contains(static_cast<std::uint16_t>(port))) free.push_back(static_cast<std::uint16_t>(port));
  }
  std::ranges::sort(free, {}, [&](std::uint16_t port) { return std::pair(rather_not.contains(port), port); });
  return free;
}

}  // namespace

Difference difference(const Settings& in_force, const Settings& wanted) {
  Difference found;
  found.in_force = in_force;
  found.in_force.chips.clear();
  found.in_force.ports_of_range = wanted.ports_of_range;
  compare_settings(in_force, wanted, found);
  compare_chips(in_force, wanted, found);
  return found;
}

Settings with_kept_ports(Settings wanted, const Settings& in_force, const std::map<ChipId, std::uint16_t>& foreign) {
  std::set<std::uint16_t> taken;
  auto ports = foreign;
  for (const auto& chip : in_force.chips) ports.insert_or_assign(chip.id, chip.port);
  const auto named = by_id(wanted.chips);
  for (const auto& [id, port] : foreign) {
    if (!named.contains(id)) taken.insert(port);
  }
  for (const auto& admin : {in_force.admin, wanted.admin}) {
    if (admin.unix_socket.empty()) taken.insert(admin.listen.port);
  }
  for (const auto& chip : wanted.chips) {
    if (!wanted.ports_of_range.contains(chip.id)) taken.insert(chip.port);
  }
  const auto range = wanted.chip_ports;
  std::vector<lifecycle::ChipSpec*> without;
  for (auto& chip : wanted.chips) {
    if (!wanted.ports_of_range.contains(chip.id)) continue;
    const auto known = ports.find(chip.id);
    const auto port = known == ports.end() ? std::uint16_t{0} : known->second;
    if (port >= range.first && port <= range.last && taken.insert(port).second) {
      chip.port = port;
    } else {
      without.push_back(&chip);
    }
  }
  std::set<std::uint16_t> left;
  for (const auto& chip : in_force.chips) left.insert(chip.port);
  const auto free = free_ports(range, taken, left);
  // Where there are too few, whoever binds them says so.
  for (std::size_t i = 0; i < std::min(free.size(), without.size()); ++i) without[i]->port = free[i];
  return wanted;
}

std::vector<string_view> compared_keys() {
  std::vector<string_view> keys;
  keys.reserve(table.size());
  for (const auto& setting : table) keys.push_back(setting.key);
  return keys;
}

}  // namespace chipgate::config
