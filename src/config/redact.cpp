// Writing settings.
#include "chipgate/config/redact.hpp"

#include "words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <utility>
#include <yaml-cpp/yaml.h>

namespace chipgate::config {
namespace {

using std::string;
using YAML::BeginMap;
using YAML::BeginSeq;
using YAML::EndMap;
using YAML::EndSeq;

constexpr const char* hidden = "***";

// So that text with ${ is read back as itself.
string escaped(string text) {
  for (auto at = text.find("${"); at != string::npos; at = text.find("${", at + 3)) text.insert(at, "$");
  return text;
}

// A provider whose whole key is the username needs no password, and its template may say anything; where a template
// takes nothing of the account, what is written in it may be the account itself.
string template_text(const string& text) {
  if (text.find("{username}") != string::npos || text.find("{password}") != string::npos) return text;
  string shown;
  bool in_literal = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '{' || text[at] == '[' || text[at] == ']') {
      const auto end = text[at] == '{' ? std::min(text.find('}', at), text.size() - 1) : at;
      shown += text.substr(at, end - at + 1);
      at = end;
      in_literal = false;
    } else if (!std::exchange(in_literal, true)) {
      shown += hidden;
    }
  }
  return shown;
}

// Of an echo; some want a key in the query.
string url_text(const protocol::HttpUrl& url) {
  const auto& path = url.path_and_query;
  const auto query = path.find('?');
  return "http://" + url.authority.text() + (query == string::npos ? path : path.substr(0, query + 1) + hidden);
}

class Writer {
 public:
  explicit Writer(YAML::Emitter& out) : out_(out) {}

  void put(const char* key, const string& value) { out_ << YAML::Key << key << YAML::Value << escaped(value); }
  void put(const char* key, const char* value) { put(key, string(value)); }
  void put(const char* key, std::string_view value) { put(key, string(value)); }
  void put(const char* key, bool value) { put(key, value ? "true" : "false"); }
  void put(const char* key, std::uint64_t value) { put(key, std::to_string(value)); }
  void put(const char* key, Milliseconds value) { put(key, format_duration(value)); }
  // Where 0 is off.
  void put_or_off(const char* key, Milliseconds value) {
    put(key, value.count() == 0 ? "off" : format_duration(value));
  }
  void put_if_set(const char* key, const string& value) {
    if (!value.empty()) put(key, value);
  }
  // Whole, so that it means the same to whoever reads it elsewhere.
  void put_path(const char* key, const std::filesystem::path& path) {
    if (!path.empty()) put(key, std::filesystem::absolute(path).lexically_normal().string());
  }

  template <class Values, class AsText>
  void list(const char* key, const Values& values, AsText as_text) {
    out_ << YAML::Key << key << YAML::Value << YAML::Flow << BeginSeq;
    for (const auto& value : values) out_ << escaped(as_text(value));
    out_ << EndSeq;
  }

  template <class Body>
  void section(const char* key, Body body) {
    out_ << YAML::Key << key << YAML::Value << BeginMap;
    body();
    out_ << EndMap;
  }

 private:
  YAML::Emitter& out_;
};

// In the largest unit that says it whole; what was read is always a whole number of kB.
string size(std::uint64_t bytes) {
  for (const auto& [factor, unit] :
       {std::pair(1'000'000'000'000ULL, "TB"), {1'000'000'000ULL, "GB"}, {1'000'000ULL, "MB"}}) {
    if (bytes % factor == 0) return std::to_string(bytes / factor) + unit;
  }
  return std::to_string(bytes / 1'000) + "kB";
}

string limit_text(std::uint32_t most) { return most == 0 ? "off" : std::to_string(most); }

void write_listen(Writer& out, const Settings& settings) {
  const auto& listen = settings.proxy.listen;
  out.put("address", listen.address.text());
  out.put("ports", std::to_string(settings.chip_ports.first) + "-" + std::to_string(settings.chip_ports.last));
  out.put("behind_userland_proxy", listen.reach == protocol::ListenerReach::through_userland_proxy);
  if (listen.credentials) {
    out.section("client_credentials", [&] {
      out.put("username", listen.credentials->username);
      out.put("password", hidden);
    });
  }
  out.list("allow_clients", listen.allow_clients, [](const Network& network) { return network.text(); });
}

void write_gateway(Writer& out, const Settings& settings) {
  const auto& provider = settings.provider;
  const auto& gateway = settings.gateway;
  out.put("preset", provider.preset);
  out.list("endpoints", gateway.endpoints, [](const auto& endpoint) { return endpoint.name(); });
  if (!provider.username.empty()) out.put("username", hidden);
  if (!provider.password.empty()) out.put("password", hidden);
  out.put_if_set("country", provider.country);
  out.put_if_set("city", provider.city);
  if (provider.lifetime.count() > 0) out.put("lifetime", provider.lifetime);
  if (!gateway.tls.ca_file.empty() || !gateway.tls.server_name.empty()) {
    out.section("tls", [&] {
      out.put_path("ca_file", gateway.tls.ca_file);
      out.put_if_set("server_name", gateway.tls.server_name);
    });
  }
  out.put("connect_timeout", gateway.connect_timeout);
  out.put("resolve_every", gateway.resolve_every);
  out.put_if_set("username_template", template_text(provider.username_template.value_or("")));
  out.put_if_set("password_template", template_text(provider.password_template.value_or("")));
  if (provider.session) {
    out.section("session", [&] {
      out.put("alphabet", provider.session->alphabet);
      out.put("length", std::uint64_t{provider.session->length});
    });
  }
}

void write_chips(YAML::Emitter& yaml, Writer& out, const Settings& settings) {
  yaml << YAML::Key << "chips" << YAML::Value << BeginSeq;
  for (const auto& chip : settings.chips) {
    yaml << YAML::Flow << BeginMap;
    out.put("id", chip.id.value());
    out.put_if_set("alias", chip.alias);
    out.put("port", std::uint64_t{chip.port});
    out.put("connect", word(connect_modes, chip.connect));
    if (chip.quota != ledger::Quota{}) {
      out.section("quota", [&] {
        if (chip.quota.day != 0) out.put("day", size(chip.quota.day));
        if (chip.quota.month != 0) out.put("month", size(chip.quota.month));
      });
    }
    if (chip.max_whatsapp_sessions) out.put("max_whatsapp_sessions", limit_text(*chip.max_whatsapp_sessions));
    yaml << EndMap;
  }
  yaml << EndSeq;
}

void write_life(Writer& out, const Settings& settings) {
  out.section("ledger", [&] {
    out.put_path("path", settings.ledger.path);
    out.put("quarantine", settings.ledger.quarantine);
    out.put_or_off("retention", settings.ledger.retention);
    out.put("prefix_v4", std::uint64_t{settings.ledger.prefix_v4});
    out.put("prefix_v6", std::uint64_t{settings.ledger.prefix_v6});
  });
  const auto& verify = settings.life.verify;
  out.section("verify", [&] {
    out.put("enabled", verify.looking == lifecycle::Looking::on);
    out.put("interval", verify.interval);
    out.put("max_age", verify.max_age);
    out.put("lost_after", verify.lost_after);
    out.put("timeout", verify.timeout);
    out.list("echoes_v4", verify.echoes_v4, url_text);
    out.list("echoes_v6", verify.echoes_v6, url_text);
    out.put("on_change", word(on_changes, verify.on_change));
  });
  const auto& draws = settings.life.draw;
  out.section("draws", [&] {
    out.put("per_round", std::uint64_t{draws.per_round});
    out.put("retry_min", draws.retry_min);
    out.put("retry_max", draws.retry_max);
    out.put("per_second", std::uint64_t{draws.per_second});
    out.put("per_chip_and_hour", std::uint64_t{draws.per_chip_and_hour});
    out.put("when_scarce", word(when_scarces, draws.when_scarce));
  });
  out.section("keep", [&] {
    out.put_or_off("release_after", settings.life.keep.release_after);
    out.put_or_off("unused", settings.life.keep.unused);
  });
}

// A URL's path may be a secret of its own, and so may a query that follows the host at once (RFC 3986 section 3).
string without_path(const string& text) {
  const auto end = text.find_first_of("/?#", text.find("://") + 3);
  return end == string::npos ? text : text.substr(0, end + 1) + hidden;
}

// As short as it says the same.
string price_text(double price) {
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), price, std::chars_format::fixed).ptr;
  return {buffer.data(), end};
}

void write_admin(Writer& out, const admin::AdminOptions& admin) {
  out.put("listen", admin::listen_text(admin));
  out.list("hosts", admin.hosts, [](const string& host) { return host; });
  if (admin.token.empty()) {
    out.put_path("token_file", admin.token_file);
  } else {
    out.put("token", "****************");
  }
  if (admin.price) {
    out.put("price_per_gb", price_text(admin.price->per_gb));
    out.put("currency", admin.price->currency);
  }
  if (!admin.webhook) return;
  out.section("webhook", [&] {
    out.put("url", without_path(admin.webhook->url));
    if (!admin.webhook->secret.empty()) out.put("secret", hidden);
    out.list("events", admin.webhook->events, [](const string& event) { return event; });
  });
}

void write_rest(Writer& out, const Settings& settings) {
  out.section("limits", [&] {
    out.put("tunnels", limit_text(settings.proxy.limits.tunnels));
    out.put("tunnels_per_chip", std::uint64_t{settings.proxy.limits.tunnels_per_chip});
    out.put("handshakes_per_chip", std::uint64_t{settings.proxy.limits.handshakes_per_chip});
    out.put("held_per_chip", std::uint64_t{settings.proxy.limits.held_per_chip});
    out.put("max_whatsapp_sessions", limit_text(settings.proxy.limits.max_whatsapp_sessions));
    out.put("crowd_age", settings.proxy.crowd_age);
  });
  out.section("destinations", [&] {
    const auto rule = [](const protocol::DestinationRule& one) { return one.text(); };
    out.list("allow", settings.proxy.destinations.allow, rule);
    out.list("deny", settings.proxy.destinations.deny, rule);
  });
  out.section("timeouts", [&] {
    out.put("connect_budget", settings.proxy.connect_budget);
    out.put("head", settings.proxy.head_timeout);
    out.put_or_off("idle", settings.relay.idle_timeout);
    out.put("half_closed", settings.relay.half_closed);
    out.put("first_reply", settings.relay.first_reply);
    out.put("drain", settings.proxy.drain_deadline);
  });
  out.put("fail_style", word(fail_styles, settings.proxy.fail_style));
  const auto workers = settings.proxy.workers;
  out.put("workers", workers == 0 ? string("auto") : std::to_string(workers));
  out.section("log", [&] {
    out.put("level", word(log_levels, settings.log.level));
    out.put("format", word(log_formats, settings.log.format));
    out.put("access", settings.log.access == telemetry::AccessLines::on);
    out.put_path("path", settings.log.path);
  });
  out.section("admin", [&] { write_admin(out, settings.admin); });
}

}  // namespace

string redacted_yaml(const Settings& settings) {
  YAML::Emitter yaml;
  Writer out(yaml);
  yaml << BeginMap;
  out.section("listen", [&] { write_listen(out, settings); });
  out.section("gateway", [&] { write_gateway(out, settings); });
  write_chips(yaml, out, settings);
  write_life(out, settings);
  write_rest(out, settings);
  yaml << EndMap;
  return string(yaml.c_str()) + "\n";
}

}  // namespace chipgate::config
