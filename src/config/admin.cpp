// The part of the file that is about watching and controlling chipgate.
#include "chipgate/admin/webhook.hpp"
#include "chipgate/base/ascii.hpp"
#include "endpoint.hpp"
#include "nearest.hpp"
#include "readers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace chipgate::config {
namespace {

using std::string;
using std::string_view;

// Shorter ones can be guessed.
constexpr std::size_t shortest_token = 16;
// Of a Unix socket's path, with its final zero (sockaddr_un).
constexpr std::size_t longest_socket = 108;
constexpr double highest_price = 1e6;
constexpr std::size_t currency_letters = 3;

void read_listen_address(const Map& admin, admin::AdminOptions& options) {
  const auto written = admin.scalar("listen");
  if (!written) return;
  constexpr string_view unix = "unix:";
  if (written->value.starts_with(unix)) {
    options.unix_socket = admin.report().beside(written->value.substr(unix.size()));
    if (written->value.size() == unix.size() || options.unix_socket.size() >= longest_socket) {
      admin.problem("listen", in_quotes(written->written) + " is no path of at most 107 bytes",
                    "unix:/run/chipgate.sock");
    }
    return;
  }
  if (const auto address = SocketAddress::parse(written->value)) {
    options.listen = *address;
  } else {
    admin.problem("listen", in_quotes(written->written) + " is not an address and a port",
                  "127.0.0.1:9310, or unix:/run/chipgate.sock");
  }
  if (!options.listen.ip.is_loopback()) {
    admin.warning("listen", "the control port is open beyond loopback, in clear text", "put TLS before it");
  }
}

Secret read_token(const Map& admin) {
  if (!admin.has("token")) return {};
  if (admin.has("token_file")) {
    admin.problem("token_file", "stands beside token", "write one of the two");
    return {};
  }
  warn_of_readers(admin, "token");
  Secret token(admin.text("token"));
  if (token.reveal().size() < shortest_token) admin.problem("token", "is shorter than 16 characters");
  return token;
}

// One that fits nothing would be silent for ever, and nobody would miss it before the night.
std::vector<string> read_event_patterns(const Map& webhook) {
  const auto types = admin::event_types();
  const auto all = webhook.scalars("events");
  if (all.empty() && !webhook.report().complained_about(webhook.path_of("events"))) {
    webhook.problem("events", "is empty: nothing would be posted", "[chip.*, gateway.*], or no webhook");
  }
  std::vector<string> patterns;
  for (const auto& written : all) {
    const auto fits = [&](string_view type) { return admin::fits_event(written.value, type); };
    if (std::ranges::any_of(types, fits)) {
      patterns.push_back(written.value);
      continue;
    }
    const auto meant = nearest(written.written, types);
    webhook.report().problem(
        written.line, written.key, in_quotes(written.written) + " fits no event",
        meant ? "did you mean " + string(*meant) + "?" : "chip.*, gateway.*, or a type of docs/api.md");
  }
  return patterns;
}

std::optional<admin::WebhookOptions> read_webhook(const Map& admin) {
  if (!admin.has("webhook")) return std::nullopt;
  const auto map = admin.map("webhook");
  admin::WebhookOptions options;
  options.url = map.text("url");
  if (!map.has("url")) {
    map.problem("url", "is missing");
  } else if (!admin::parse_webhook_url(options.url)) {
    // It may hold a secret, so it is not quoted.
    map.problem("url", "is not a URL that begins with http:// or https://", "https://example.org/hooks/chipgate");
  }
  options.secret = read_secret(map, "secret");
  if (options.secret.empty()) map.warning("secret", "is missing: deliveries are not signed");
  if (map.has("events")) options.events = read_event_patterns(map);
  options.position_file = map.report().state_file(options.position_file);
  return options;
}

std::optional<admin::Price> read_price(const Map& admin) {
  admin::Price price;
  price.currency = admin.text("currency", price.currency);
  if (price.currency.size() != currency_letters || !std::ranges::all_of(price.currency, is_letter)) {
    admin.problem("currency", "is not three letters", "EUR");
  }
  const auto written = admin.scalar("price_per_gb");
  if (!written) return std::nullopt;
  const auto& text = written->value;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), price.per_gb, std::chars_format::fixed);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !std::isfinite(price.per_gb) || price.per_gb < 0 || price.per_gb > highest_price) {
    admin.problem("price_per_gb", in_quotes(written->written) + " is not a price", "3.5");
  }
  return price;
}

}  // namespace

admin::AdminOptions read_control_port(const Map& admin) {
  admin::AdminOptions options;
  read_listen_address(admin, options);
  for (const auto& written : admin.scalars("hosts")) {
    if (is_host(written.value)) {
      options.hosts.push_back(written.value);
    } else {
      admin.report().problem(written.line, written.key, in_quotes(written.written) + " is not a host's name",
                             "chipgate.example.org, without scheme and port");
    }
  }
  options.token = read_token(admin);
  options.token_file = admin.has("token_file") ? admin.report().beside(admin.text("token_file"))
                                               : admin.report().state_file(options.token_file);
  return options;
}

admin::AdminOptions read_admin(const Map& admin) {
  auto options = read_control_port(admin);
  options.price = read_price(admin);
  options.webhook = read_webhook(admin);
  return options;
}

}  // namespace chipgate::config
