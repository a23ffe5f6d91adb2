// The parts of the file that are about chipgate itself: listening, limits, times, logs.
#include "chipgate/base/ascii.hpp"
#include "endpoint.hpp"
#include "readers.hpp"
#include "words.hpp"

namespace chipgate::config {
namespace {

using std::string;
using std::string_view;
using namespace std::chrono_literals;

// A client's own patience: Baileys gives a connection up after 20 s, and would not see a later answer.
constexpr Milliseconds client_patience = 19s;

// Of a file's permissions, those of everybody.
constexpr mode_t others = 07;

// RFC 1929 has one byte for the length of each.
constexpr std::size_t longest_credential = 255;

std::optional<proxy::ClientCredentials> read_credentials(const Map& map) {
  proxy::ClientCredentials credentials{.username = map.text("username"), .password = read_password(map)};
  if (!map.has("username")) map.problem("username", "is missing");
  if (!map.has("password") && !map.has("password_file")) map.problem("password", "is missing");
  // A variable that is set to nothing, as a rule: whoever guesses that uses the account.
  const auto refuse_empty = [&](string_view key, bool empty) {
    if (map.has(key) && empty && !map.report().complained_about(map.path_of(key))) map.problem(key, "is empty");
  };
  refuse_empty("username", credentials.username.empty());
  if (!map.has("password_file")) refuse_empty("password", credentials.password.empty());
  if (credentials.username.find(':') != string::npos) {
    map.problem("username", "contains ':', which ends the username in HTTP");
  }
  if (credentials.username.size() > longest_credential) map.problem("username", "is longer than 255 bytes");
  if (credentials.password.reveal().size() > longest_credential) map.problem("password", "is longer than 255 bytes");
  return credentials;
}

IpAddress read_address(const Map& listen, IpAddress fallback) {
  const auto written = listen.scalar("address");
  if (!written) return fallback;
  if (const auto address = IpAddress::parse(written->value)) return *address;
  listen.problem("address", in_quotes(written->written) + " is not an IP address", "127.0.0.1, 0.0.0.0 or ::1");
  return fallback;
}

}  // namespace

std::optional<NumberRange> parse_range(std::string_view text, std::uint64_t largest) {
  const auto dash = text.find('-');
  const auto first = parse_decimal(text.substr(0, dash), largest);
  const auto last = dash == std::string_view::npos ? first : parse_decimal(text.substr(dash + 1), largest);
  if (!first || !last || *first > *last) return std::nullopt;
  return NumberRange{*first, *last};
}

void warn_of_readers(const Map& map, std::string_view key) {
  const auto written = map.scalar(key);
  const bool literal = written && !written->value.empty() && written->written.find("${") == string::npos;
  if (literal && (map.report().mode() & others) != 0) {
    map.warning(key, "stands in a file that everybody may read or write", "a ${VARIABLE}, or chmod 0600");
  }
}

Secret read_secret(const Map& map, std::string_view key) {
  const auto file_key = string(key) + "_file";
  if (!map.has(file_key)) {
    warn_of_readers(map, key);
    return Secret(map.text(key));
  }
  if (map.has(key)) {
    map.problem(file_key, "stands beside " + string(key), "write one of the two");
    return {};
  }
  const auto path = map.scalar(file_key);
  if (!path) return {};
  auto content = map.report().environment().read(map.report().beside(path->value));
  if (!content.text) {
    map.problem(file_key, "cannot be read: " + content.error);
    return {};
  }
  if ((content.mode & others) != 0) map.warning(file_key, "may be read or written by everybody", "chmod 0600");
  Secret secret(std::move(*content.text));
  auto text = secret.reveal();
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) map.problem(file_key, "is empty");
  if (text.find('\n') != std::string_view::npos) map.problem(file_key, "has more than one line");
  return Secret(string(text));
}

Secret read_password(const Map& map) { return read_secret(map, "password"); }

namespace {

// A number, or off, which is 0; nothing where it is not written.
std::optional<std::uint32_t> read_limit(const Map& map, string_view key, std::uint64_t most) {
  if (!map.has(key)) return std::nullopt;
  if (map.text(key) == "off") return 0;
  return static_cast<std::uint32_t>(map.number(key, 0, 1, most));
}

}  // namespace

std::optional<std::uint32_t> read_whatsapp_sessions(const Map& map) {
  return read_limit(map, "max_whatsapp_sessions", 1'000);
}

proxy::ListenOptions read_listen(const Map& listen) {
  proxy::ListenOptions options;
  options.address = read_address(listen, options.address);
  const bool loopback = options.address.is_loopback();
  if (listen.boolean("behind_userland_proxy", false) || !loopback) {
    options.reach = protocol::ListenerReach::through_userland_proxy;
  }
  if (listen.has("client_credentials")) options.credentials = read_credentials(listen.map("client_credentials"));
  const auto networks = listen.scalars("allow_clients");
  for (const auto& written : networks) {
    if (auto network = Network::parse(written.value)) {
      options.allow_clients.push_back(*network);
    } else {
      listen.report().problem(written.line, written.key, in_quotes(written.written) + " is not a network",
                              "172.17.0.0/16, fd00::/8 or one address");
    }
  }
  const bool open = !listen.has("client_credentials") && networks.empty() &&
                    !listen.report().complained_about(listen.path_of("allow_clients"));
  if (!loopback && open) {
    listen.problem("address", "listening beyond loopback demands client_credentials or allow_clients",
                   "without them whoever reaches the port uses the account");
  }
  return options;
}

PortRange read_port_range(const Map& listen) {
  PortRange range;
  const auto written = listen.scalar("ports");
  if (!written) return range;
  const auto parsed = parse_range(written->value, 65'535);
  if (!parsed || parsed->first == 0) {
    listen.problem("ports", in_quotes(written->written) + " is not a range of ports from 1 to 65535", "20001-20500");
    return range;
  }
  range.first = static_cast<std::uint16_t>(parsed->first);
  range.last = static_cast<std::uint16_t>(parsed->last);
  return range;
}

proxy::ProxyOptions read_proxy(const Map& root) {
  proxy::ProxyOptions options;
  options.listen = read_listen(root.map("listen"));
  const auto limits = root.map("limits");
  options.limits.tunnels = read_limit(limits, "tunnels", 1'000'000).value_or(options.limits.tunnels);
  options.limits.tunnels_per_chip =
      static_cast<std::uint32_t>(limits.number("tunnels_per_chip", options.limits.tunnels_per_chip, 1, 100'000));
  options.limits.handshakes_per_chip =
      static_cast<std::uint32_t>(limits.number("handshakes_per_chip", options.limits.handshakes_per_chip, 1, 100'000));
  options.limits.held_per_chip =
      static_cast<std::uint32_t>(limits.number("held_per_chip", options.limits.held_per_chip, 1, 10'000));
  options.limits.max_whatsapp_sessions = read_whatsapp_sessions(limits).value_or(options.limits.max_whatsapp_sessions);
  options.destinations = read_destinations(root.map("destinations"));
  options.crowd_age = limits.duration("crowd_age", options.crowd_age, {.least = 0s, .most = 1h});
  options.fail_style = root.choice<protocol::FailStyle>("fail_style", options.fail_style, fail_styles);
  const auto timeouts = root.map("timeouts");
  options.connect_budget = timeouts.duration("connect_budget", options.connect_budget, {.least = 1s, .most = 60s});
  if (options.connect_budget > client_patience) {
    timeouts.warning("connect_budget", "clients give up after 20s", "19s at most");
  }
  options.head_timeout = timeouts.duration("head", options.head_timeout, {.least = 100ms, .most = 60s});
  if (options.head_timeout > options.connect_budget) {
    timeouts.warning("head", "is longer than timeouts.connect_budget, which ends it first");
  }
  options.drain_deadline = timeouts.duration("drain", options.drain_deadline, {.least = 0s, .most = 1h});
  if (root.text("workers", "auto") != "auto") {
    options.workers = static_cast<std::uint32_t>(root.number("workers", 0, 1, 256));
  }
  return options;
}

relay::RelayOptions read_relay(const Map& timeouts) {
  relay::RelayOptions options;
  options.idle_timeout =
      timeouts.duration("idle", options.idle_timeout, {.least = 1s, .most = 24h * 30, .off = Off::allowed});
  if (options.idle_timeout.count() > 0 && options.idle_timeout < 60s) {
    timeouts.warning("idle", "cuts tunnels that are in use: WhatsApp pings every 20 to 30 s", "off, or 5min and more");
  }
  options.half_closed = timeouts.duration("half_closed", options.half_closed, {.least = 1s, .most = 24h});
  options.first_reply = timeouts.duration("first_reply", options.first_reply, {.least = 1s, .most = 24h});
  return options;
}

telemetry::LogOptions read_log(const Map& log) {
  telemetry::LogOptions options;
  options.level = log.choice<telemetry::LogLevel>("level", options.level, log_levels);
  options.format = log.choice<telemetry::LogFormat>("format", options.format, log_formats);
  const bool access = log.boolean("access", options.access == telemetry::AccessLines::on);
  options.access = access ? telemetry::AccessLines::on : telemetry::AccessLines::off;
  options.path = log.report().beside(log.text("path"));
  return options;
}

}  // namespace chipgate::config
