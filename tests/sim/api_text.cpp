// Faults from JSON, key by key; sessions, counts and faults as JSON.
#include "sim/api_text.hpp"

#include "chipgate/base/ascii.hpp"

#include <limits>

namespace chipgate::sim {
namespace {

using std::string_view;

// Each returns false where the value is not what the key wants.
using Reader = bool (*)(Fault&, const Json&);

template <auto Member>
bool text_into(Fault& fault, const Json& value) {
  if (value.string() == nullptr) return false;
  fault.*Member = *value.string();
  return true;
}

template <class T>
std::optional<T> number_of(const Json& value) {
  if (value.number() == nullptr || *value.number() > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) {
    return std::nullopt;
  }
  return static_cast<T>(*value.number());
}

template <auto Member, class T>
bool number_into(Fault& fault, const Json& value) {
  const auto number = number_of<T>(value);
  if (number) fault.*Member = *number;
  return number.has_value();
}

bool read_stage(Fault& fault, const Json& value) {
  const auto stage = value.string() != nullptr ? parse_stage(*value.string()) : std::nullopt;
  if (stage) fault.stage = *stage;
  return stage.has_value();
}

bool read_kind(Fault& fault, const Json& value) {
  const auto kind = value.string() != nullptr ? parse_kind(*value.string()) : std::nullopt;
  if (kind) fault.kind = *kind;
  return kind.has_value();
}

bool read_headers(Fault& fault, const Json& value) {
  if (value.object() == nullptr) return false;
  for (const auto& [key, text] : *value.object()) {
    if (text.string() == nullptr) return false;
    fault.headers.add(key, *text.string());
  }
  return true;
}

bool read_delay(Fault& fault, const Json& value) {
  const auto number = number_of<std::int32_t>(value);
  if (number) fault.delay = Milliseconds(*number);
  return number.has_value();
}

bool read_how(Fault& fault, const Json& value) {
  const auto* text = value.string();
  if (text == nullptr || (*text != "fin" && *text != "rst")) return false;
  fault.how = *text == "fin" ? CloseHow::fin : CloseHow::rst;
  return true;
}

bool read_listener(Fault& fault, const Json& value) {
  if (value.string() == nullptr) return false;
  for (const auto kind : {ListenerKind::http, ListenerKind::https, ListenerKind::socks5}) {
    if (*value.string() == name(kind)) fault.listener = kind;
  }
  return fault.listener.has_value();
}

const std::map<string_view, Reader>& readers() {
  static const std::map<string_view, Reader> table{
      {"stage", read_stage},
      {"kind", read_kind},
      {"status", number_into<&Fault::status, std::uint16_t>},
      {"reason", text_into<&Fault::reason>},
      {"headers", read_headers},
      {"body", text_into<&Fault::body>},
      {"rep", number_into<&Fault::rep, std::uint8_t>},
      {"delay_ms", read_delay},
      {"after_bytes", number_into<&Fault::after_bytes, std::uint64_t>},
      {"bytes_per_second", number_into<&Fault::bytes_per_second, std::uint64_t>},
      {"how", read_how},
      {"count", number_into<&Fault::count, std::uint64_t>},
      {"session", text_into<&Fault::session>},
      {"target", text_into<&Fault::target>},
      {"listener", read_listener},
  };
  return table;
}

// "%2D" and the like.
std::optional<std::string> percent_decode(string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    constexpr string_view digits = "0123456789abcdef";
    const auto high = digits.find(lower(text[i + 1]));
    const auto low = digits.find(lower(text[i + 2]));
    if (high == string_view::npos || low == string_view::npos) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

}  // namespace

std::variant<Fault, Complaint> fault_of(string_view json) {
  const auto value = Json::parse(json);
  if (!value || value->object() == nullptr) return Complaint{"the body is not a JSON object"};
  const auto& members = *value->object();
  if (!members.contains("stage") || !members.contains("kind")) return Complaint{"stage and kind are required"};
  Fault fault;
  for (const auto& [key, member] : members) {
    const auto reader = readers().find(key);
    if (reader == readers().end()) return Complaint{"unknown key: " + key};
    if (!reader->second(fault, member)) return Complaint{"bad value for " + key};
  }
  return fault;
}

std::string json_of(const StandingFault& standing) {
  const auto& fault = standing.fault;
  JsonWriter json;
  json.number("id", standing.id)
      .text("stage", name(fault.stage))
      .text("kind", name(fault.kind))
      .number("struck", standing.struck);
  if (fault.count) json.number("left", *fault.count);
  if (fault.listener) json.text("listener", name(*fault.listener));
  if (!fault.session.empty()) json.text("session", fault.session);
  if (!fault.target.empty()) json.text("target", fault.target);
  return json.done();
}

std::string json_of(const NamedSession& named, TimePoint now, WallTime wall_now) {
  const auto& session = named.session;
  const auto wall = [&](TimePoint at) {
    return rfc3339(wall_now - std::chrono::duration_cast<WallTime::duration>(now - at));
  };
  JsonWriter json;
  json.text("session", named.id)
      .text("exit", session.exit.text())
      .text("opened", wall(session.opened))
      .text("last_used", wall(session.last_used))
      .number("connects", session.connects)
      .number("tunnels", session.tunnels);
  return json.done();
}

std::string json_of(const Stats& stats) {
  JsonWriter json;
  json.number("accepted", stats.accepted)
      .number("connects", stats.connects)
      .number("tunnels_opened", stats.tunnels_opened)
      .number("tunnels_open", stats.tunnels_open)
      .number("requests", stats.requests)
      .number("auth_failures", stats.auth_failures)
      .number("malformed", stats.malformed)
      .number("accept_pauses", stats.accept_pauses)
      .number("faults", stats.faults)
      .number("origin_connections", stats.origin_connections)
      .number("origin_direct", stats.origin_direct);
  return json.done();
}

std::string json_of(const Ports& ports, const SimulatorOptions& options) {
  JsonWriter json;
  json.boolean("ready", true)
      .text("http", ports.http.text())
      .text("https", ports.https.text())
      .text("socks5", ports.socks5.text())
      .text("api", ports.api.text())
      .text("origin", ports.origin.text())
      .text("exit_ip_http", "http://exit-ip.sim/")
      .text("exit_ip_https", "https://exit-ip.sim/")
      .text("ca_file", options.ca_out);
  return json.done();
}

std::optional<Path> parse_path(string_view target) {
  const auto question = std::min(target.find('?'), target.size());
  Path path{{}, std::string(target.substr(std::min(question + 1, target.size())))};
  auto rest = target.substr(0, question);
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the slash
    const auto end = std::min(rest.find('/'), rest.size());
    auto segment = percent_decode(rest.substr(0, end));
    if (!segment) return std::nullopt;
    path.segments.push_back(std::move(*segment));
    rest.remove_prefix(end);
  }
  return path;
}

std::optional<string_view> query_value(string_view query, string_view key) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    if (pair.starts_with(key) && pair.substr(key.size()).starts_with('=')) return pair.substr(key.size() + 1);
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return std::nullopt;
}

}  // namespace chipgate::sim
