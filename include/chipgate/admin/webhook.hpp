// Webhook: posts events to a URL, in their order, until it takes them.
#pragma once

#include "chipgate/admin/event_feed.hpp"
#include "chipgate/admin/options.hpp"
#include "chipgate/net/resolver.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace chipgate::telemetry {
class Log;
}

namespace chipgate::admin {

struct WebhookUrl {
  enum class Scheme : std::uint8_t { http, https } scheme;
  std::string host;
  std::uint16_t port;
  std::string path;  // with the query
};

// "https://example.org/hook?x=1", without a username.
std::optional<WebhookUrl> parse_webhook_url(std::string_view text);

// Every type of event that there is.
std::span<const std::string_view> event_types();
// Whether a pattern means a type; a final * stands for any ending.
bool fits_event(std::string_view pattern, std::string_view type);

// "sha256=" and the hexadecimal HMAC-SHA256 of "{timestamp}.{body}", as X-Chipgate-Signature carries it.
std::string webhook_signature(const Secret& secret, std::string_view timestamp, std::string_view body);

struct WebhookTiming {
  Milliseconds first_retry{1'000};  // doubling
  Milliseconds longest_retry{std::chrono::minutes(5)};
  // An event that nobody took for so long is passed over, with a line in the log.
  Milliseconds give_up{std::chrono::hours(24)};
  Milliseconds attempt{10'000};  // for one POST, name and answer included
};

// On the control thread. Every 2xx is a delivery; everything else is tried again, and holds up the events behind it.
// The id of the last delivered event is in the position file: a restart goes on behind it, and an event whose answer
// got lost comes twice, with the same id. Dials nothing but the configured URL.
class Webhook {
 public:
  // The rest must outlive the webhook, and the io_context's last run. Throws std::runtime_error where the URL is none.
  Webhook(boost::asio::io_context& control, const WebhookOptions& options, EventFeed& feed, net::Resolver& resolver,
          telemetry::Log& log, const WebhookTiming& timing = {});
  ~Webhook();
  Webhook(const Webhook&) = delete;
  Webhook& operator=(const Webhook&) = delete;

  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace chipgate::admin
