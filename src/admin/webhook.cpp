// Which events are posted, when again, and where a restart goes on.
#include "chipgate/admin/webhook.hpp"

#include "chipgate/base/ascii.hpp"
#include "chipgate/protocol/authority.hpp"
#include "chipgate/telemetry/log.hpp"
#include "present.hpp"
#include "webhook_client.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdexcept>

namespace chipgate::admin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::size_t events_a_page = 100;
constexpr Milliseconds patience = 1min;

constexpr std::array<std::string_view, 18> types{
    "chip.active",        "chip.released",    "chip.renewed",     "chip.moved",   "chip.exit_shared",
    "chip.blocked",       "chip.draw_failed", "chip.exit_scarce", "chip.crowded", "chip.quota_warning",
    "chip.quota_reached", "chip.created",     "chip.changed",     "chip.removed", "chip.reported",
    "chip.banned",        "gateway.refusing", "gateway.recovered"};

WebhookUrl checked(std::string_view text) {
  if (auto url = parse_webhook_url(text)) return std::move(*url);
  throw std::runtime_error("the webhook's URL is not one");
}

}  // namespace

std::span<const std::string_view> event_types() { return types; }

bool fits_event(std::string_view pattern, std::string_view type) {
  if (!pattern.ends_with('*')) return pattern == type;
  pattern.remove_suffix(1);
  return type.starts_with(pattern);
}

std::optional<WebhookUrl> parse_webhook_url(std::string_view text) {
  const auto mark = text.find("://");
  const auto scheme = lower(text.substr(0, mark));
  if (mark == std::string_view::npos || (scheme != "http" && scheme != "https")) return std::nullopt;
  const bool tls = scheme == "https";
  const auto rest = text.substr(mark + 3);
  const auto end = std::min(rest.find_first_of("/?#"), rest.size());
  const auto authority = protocol::parse_authority(rest.substr(0, end), tls ? 443 : 80);
  auto path = std::string(rest.substr(end));
  const auto unfit = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '#'; };
  if (!authority || std::ranges::any_of(path, unfit)) return std::nullopt;
  if (!path.starts_with('/')) path.insert(0, 1, '/');
  return WebhookUrl{tls ? WebhookUrl::Scheme::https : WebhookUrl::Scheme::http, authority->host, authority->port,
                    std::move(path)};
}

std::string webhook_signature(const Secret& secret, std::string_view timestamp, std::string_view body) {
  const auto text = std::string(timestamp) + '.' + std::string(body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const auto key = secret.reveal();
  ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), digest.data(), &size);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string signature = "sha256=";
  for (unsigned i = 0; i < size; ++i) {
    signature += digits[digest.at(i) >> 4];
    signature += digits[digest.at(i) & 15];
  }
  return signature;
}

class Webhook::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& control, const WebhookOptions& options, EventFeed& feed, net::Resolver& resolver,
       telemetry::Log& log, const WebhookTiming& timing)
      : control_(control),
        options_(options),
        client_(control, checked(options.url), resolver),
        feed_(feed),
        log_(log),
        timing_(timing) {}

  void start() {
    asio::co_spawn(control_.get_executor(), run(shared_from_this()),
                   asio::bind_cancellation_slot(stop_.slot(), [self = shared_from_this()](const std::exception_ptr& e) {
                     // A wait that was called off throws; anything else is a bug.
                     if (e && !self->stopped_) std::rethrow_exception(e);
                   }));
  }

  void stop() {
    stopped_ = true;
    stop_.emit(asio::cancellation_type::terminal);
  }

 private:
  net::Task<void> run([[maybe_unused]] std::shared_ptr<Impl> self) {
    EventFeed::Reader reader(feed_, kept_position());
    while (!stopped_) {
      const auto before = reader.position();
      const auto page = co_await reader.next(events_a_page, patience);
      if (page.has_error()) {
        co_await pause(timing_.first_retry);
      } else if (!page->empty()) {
        if (!before) keep_position(page->front().id - 1);
        co_await deliver_all(*page);
      }
    }
  }

  net::Task<void> deliver_all(const std::vector<ledger::EventRow>& page) {
    for (const auto& event : page) {
      const bool wanted =
          std::ranges::any_of(options_.events, [&](const auto& pattern) { return fits_event(pattern, event.type); });
      if (!wanted) continue;
      co_await deliver(event);
      if (stopped_) co_return;
      keep_position(event.id);
    }
    keep_position(page.back().id);
  }

  net::Task<void> deliver(const ledger::EventRow& event) {
    const auto body = boost::json::serialize(present(event));
    const auto until = Clock::now() + timing_.give_up;
    auto wait = timing_.first_retry;
    while (!stopped_) {
      const auto posted = co_await client_.post(body, fields_for(event, body), timing_.attempt);
      if (posted.status >= 200 && posted.status < 300) co_return;
      if (stopped_) co_return;
      const bool over = Clock::now() + wait >= until;
      log_.warn(over ? "webhook_given_up" : "webhook_failed",
                {{"event_id", event.id}, {"status", posted.status}, {"detail", posted.trouble}, {"retry", wait}});
      if (over) co_return;
      co_await pause(wait);
      wait = std::min(wait * 2, timing_.longest_retry);
    }
  }

  WebhookClient::Fields fields_for(const ledger::EventRow& event, const std::string& body) const {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto timestamp = std::to_string(std::chrono::floor<std::chrono::seconds>(now).count());
    WebhookClient::Fields fields{{"X-Chipgate-Event", event.type},
                                 {"X-Chipgate-Event-Id", std::to_string(event.id)},
                                 {"X-Chipgate-Timestamp", timestamp}};
    if (!options_.secret.empty()) {
      fields.emplace_back("X-Chipgate-Signature", webhook_signature(options_.secret, timestamp, body));
    }
    return fields;
  }

  net::Task<void> pause(Milliseconds wait) {
    asio::steady_timer timer(control_, wait);
    co_await timer.async_wait(asio::as_tuple(net::use_task));
  }

  std::optional<std::int64_t> kept_position() const {
    std::ifstream file(options_.position_file);
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    const auto id = parse_decimal(line, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
    if (!id) log_.warn("webhook_position_unreadable", {{"path", options_.position_file}});
    return id ? std::optional(static_cast<std::int64_t>(*id)) : std::nullopt;
  }

  // Whole or not at all. One that got lost costs a delivery twice.
  void keep_position(std::int64_t id) {
    const auto fresh = options_.position_file + ".new";
    std::ofstream file(fresh, std::ios::trunc);
    file << id << '\n';
    file.close();
    std::error_code error;
    if (file) std::filesystem::rename(fresh, options_.position_file, error);
    if (!file || error) log_.warn("webhook_position_not_kept", {{"path", options_.position_file}, {"event_id", id}});
  }

  asio::io_context& control_;
  const WebhookOptions options_;
  WebhookClient client_;
  EventFeed& feed_;
  telemetry::Log& log_;
  const WebhookTiming timing_;
  asio::cancellation_signal stop_;
  bool stopped_ = false;
};

Webhook::Webhook(asio::io_context& control, const WebhookOptions& options, EventFeed& feed, net::Resolver& resolver,
                 telemetry::Log& log, const WebhookTiming& timing)
    : impl_(std::make_shared<Impl>(control, options, feed, resolver, log, timing)) {
  impl_->start();
}

Webhook::~Webhook() { stop(); }

void Webhook::stop() { impl_->stop(); }

}  // namespace chipgate::admin
