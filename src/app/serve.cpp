// Wiring, signals and the end.
#include "chipgate/app/serve.hpp"

#include "chipgate/admin/api.hpp"
#include "chipgate/admin/server.hpp"
#include "chipgate/admin/token.hpp"
#include "chipgate/admin/webhook.hpp"
#include "chipgate/config/redact.hpp"
#include "chipgate/gateway/names.hpp"
#include "chipgate/ledger/open.hpp"
#include "chipgate/lifecycle/service.hpp"
#include "chipgate/net/descriptors.hpp"
#include "chipgate/net/resolver.hpp"
#include "chipgate/proxy/plane.hpp"
#include "chipgate/telemetry/exposition.hpp"
#include "chipgate/telemetry/log.hpp"

#include <array>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <climits>
#include <csignal>
#include <stdexcept>
#include <unistd.h>

namespace chipgate::app {
namespace {

// What the process needs beside the chips': log, epoll sets, timers, resolver, admin connections.
constexpr std::uint64_t descriptors_of_its_own = 128;
// A port, and four tunnels of two sockets: a WhatsApp client with its media.
constexpr std::uint64_t descriptors_per_chip = 9;

constexpr Milliseconds drain_poll{50};
constexpr Milliseconds end_poll{5};

std::vector<std::string> endpoint_names(const gateway::GatewayOptions& options) {
  std::vector<std::string> names;
  names.reserve(options.endpoints.size());
  for (const auto& endpoint : options.endpoints) names.push_back(endpoint.name());
  return names;
}

// Which chipgate this is, in the rows that it writes.
std::string instance_name() {
  std::array<char, HOST_NAME_MAX + 1> host{};
  if (::gethostname(host.data(), HOST_NAME_MAX) != 0) return "unknown";
  return host.data();
}

lifecycle::ServiceOptions service_options(const config::Settings& settings) {
  lifecycle::ServiceOptions options;
  options.life = settings.life;
  options.ports = settings.chip_ports;
  options.preset = settings.provider.preset;
  const auto& address = settings.proxy.listen.address;
  if (!address.is_unspecified()) options.proxy_host = address.is_v4() ? address.text() : "[" + address.text() + "]";
  options.endpoint_names = endpoint_names(settings.gateway);
  options.instance = instance_name();
  options.retention = settings.ledger.retention;
  return options;
}

// Members are in the order in which they depend on each other, and go in the opposite one.
class Server final : private telemetry::MetricsSource,
                     private admin::ReadinessSource,
                     private admin::ConfigurationSource {
 public:
  explicit Server(const config::Settings& settings);
  int run();

 private:
  std::span<const telemetry::ChipSample> chips() const override { return plane_.chip_samples(); }
  std::span<const telemetry::ShardCounters* const> shards() const override { return plane_.shard_samples(); }
  std::vector<telemetry::EndpointSample> endpoints() const override;
  std::uint64_t log_dropped() const override { return log_.dropped(); }
  telemetry::LedgerSample ledger() const override;
  const telemetry::LifeSource& life() const override { return service_; }
  admin::Readiness readiness() const override;
  std::string redacted() const override { return config::redacted_yaml(settings_); }

  void report_descriptors();
  void report_ledger();
  void begin();
  void open_admin();
  void await_signal();
  void on_signal(int number);
  void drain();
  void stop();
  void end();

  const config::Settings& settings_;
  telemetry::Log log_;
  boost::asio::io_context control_{1};
  boost::asio::signal_set signals_{control_, SIGTERM, SIGINT, SIGHUP};
  boost::asio::steady_timer drain_timer_{control_};
  provider::Provider provider_;
  proxy::Plane plane_;
  // Destroyed before the io_context: what is queued is committed then.
  ledger::Opened opened_;
  lifecycle::Service service_;
  std::unique_ptr<net::Resolver> resolver_ = std::make_unique<net::SystemResolver>();
  gateway::Names names_;
  telemetry::Exposition exposition_;
  admin::EventFeed feed_;
  admin::Api api_;
  std::optional<admin::Webhook> webhook_;
  std::unique_ptr<admin::Server> admin_;
  bool bound_ = false;
  std::optional<TimePoint> draining_until_;
};

Server::Server(const config::Settings& settings)
    : settings_(settings),
      log_(settings.log),
      provider_(provider::Provider::make(settings.provider).value()),
      plane_({settings.proxy, settings.gateway, settings.relay}, control_, log_),
      opened_(ledger::open_ledger(settings.ledger, control_, instance_name())),
      service_(control_, service_options(settings), plane_, *opened_.ledger, provider_, log_,
               provider::system_random()),
      names_(control_, *resolver_, settings.gateway,
             [this](EndpointIndex endpoint, const net::Resolver::Answer& answer) {
               if (answer.has_error()) {
                 log_.warn("gateway_unresolved", {{"detail", answer.error().detail}});
               }
               plane_.publish(endpoint, answer);
             }),
      exposition_(*this),
      feed_(control_, service_, *opened_.ledger),
      api_{service_, *opened_.ledger, *this, feed_, admin::provide_token(settings.admin, log_), settings.admin.price} {}

int Server::run() {
  log_.when_full(telemetry::WhenFull::wait);
  log_.info("starting", {{"version", CHIPGATE_VERSION}, {"chips", settings_.chips.size()}});
  report_descriptors();
  report_ledger();
  begin();
  open_admin();
  log_.info("admin_open", {{"address", admin::listen_text(settings_.admin)}, {"port", admin_->port()}});
  if (settings_.admin.webhook) webhook_.emplace(control_, *settings_.admin.webhook, feed_, *resolver_, log_);
  names_.start();
  await_signal();
  // From here on tunnels would wait.
  log_.when_full(telemetry::WhenFull::drop_oldest);
  plane_.start(service_);
  service_.start();
  bound_ = true;
  log_.info("ready", {{"chips", settings_.chips.size()}, {"shards", plane_.shard_count()}});
  control_.run();
  // Its answers are posted to the control thread, which reads no more.
  resolver_.reset();
  log_.info("stopped");
  return 0;
}

void Server::report_descriptors() {
  const auto limit = net::raise_descriptor_limit();
  const auto needed = descriptors_of_its_own + descriptors_per_chip * settings_.chips.size();
  log_.info("descriptors", {{"needed", needed}, {"has", limit.has}, {"had", limit.had}});
  if (limit.has < needed) {
    log_.warn("few_descriptors", {{"needed", needed},
                                  {"has", limit.has},
                                  {"hint", "raise the hard limit (ulimit -Hn, LimitNOFILE, --ulimit nofile)"}});
  }
}

void Server::report_ledger() {
  const auto& restored = opened_.restored;
  log_.info("ledger", {{"id", restored.ledger_id},
                       {"path", settings_.ledger.path.string()},
                       {"created", rfc3339(restored.created_at)},
                       {"open", restored.live.size()},
                       {"assignments", restored.assignments},
                       {"quarantined", restored.quarantined}});
  if (restored.lost) {
    log_.warn("ledger_lost", {{"id", restored.lost->ledger_id},
                              {"assignments", restored.lost->assignments},
                              {"hint", "this ledger is new, and another one was here: bring its file back"}});
  }
}

void Server::begin() {
  if (settings_.life.verify.looking == lifecycle::Looking::off) {
    log_.warn("looking_off", {{"effect", "nobody sees whether two chips share an exit"}});
  }
  service_.begin(settings_.chips, opened_.restored);
}

void Server::open_admin() {
  try {
    admin_ = std::make_unique<admin::Server>(control_, settings_.admin,
                                             admin::ServerSources{exposition_, *this, log_, &api_});
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error("the admin port: " + admin::listen_text(settings_.admin) + ": " + error.code().message());
  }
}

std::vector<telemetry::EndpointSample> Server::endpoints() const {
  std::vector<telemetry::EndpointSample> samples;
  for (std::uint32_t i = 0; i < settings_.gateway.endpoints.size(); ++i) {
    const bool up = service_.endpoint_up(EndpointIndex(i));
    samples.push_back(
        {settings_.gateway.endpoints[i].name(), up ? telemetry::EndpointHealth::up : telemetry::EndpointHealth::down});
  }
  return samples;
}

telemetry::LedgerSample Server::ledger() const {
  const auto writes = opened_.ledger->writes();
  return {writes.commits, writes.failures, writes.queued, opened_.ledger->writable()};
}

admin::Readiness Server::readiness() const {
  admin::Readiness readiness;
  const bool ready = bound_ && !draining_until_ && opened_.ledger->writable();
  readiness.ready = ready ? admin::Ready::yes : admin::Ready::no;
  readiness.parts.push_back({"ledger", opened_.ledger->writable() ? "writable" : "failing"});
  readiness.parts.push_back({"ports", bound_ ? (draining_until_ ? "draining" : "bound") : "opening"});
  for (const auto& endpoint : endpoints()) {
    readiness.parts.push_back({endpoint.name, endpoint.health == telemetry::EndpointHealth::up ? "up" : "down"});
  }
  return readiness;
}

void Server::await_signal() {
  signals_.async_wait([this](boost::system::error_code error, int number) {
    if (!error) on_signal(number);
  });
}

void Server::on_signal(int number) {
  if (number == SIGHUP) {
    if (const auto error = log_.reopen()) log_.error("log_not_reopened", {{"detail", error.message()}});
    await_signal();
    return;
  }
  // A person at a terminal, or somebody who asks twice, does not want to wait.
  if (number == SIGINT || draining_until_) {
    stop();
    return;
  }
  log_.info("draining", {{"tunnels", plane_.tunnels_open()}, {"seconds", settings_.proxy.drain_deadline}});
  draining_until_ = Clock::now() + settings_.proxy.drain_deadline;
  plane_.leave();
  await_signal();
  drain();
}

void Server::drain() {
  plane_.ask_idle([this](bool idle) {
    if (idle || Clock::now() >= *draining_until_) {
      stop();
      return;
    }
    drain_timer_.expires_after(drain_poll);
    drain_timer_.async_wait([this](boost::system::error_code error) {
      if (!error) drain();
    });
  });
}

// Readers of events may be in the middle of a wait; they must be gone before the feed is.
void Server::end() {
  if (feed_.readers() == 0) {
    control_.stop();
    return;
  }
  feed_.wake();
  drain_timer_.expires_after(end_poll);
  drain_timer_.async_wait([this](boost::system::error_code) { end(); });
}

void Server::stop() {
  log_.info("stopping", {{"tunnels", plane_.tunnels_open()}});
  names_.stop();
  drain_timer_.cancel();
  signals_.cancel();
  admin_->stop();
  if (webhook_) webhook_->stop();
  plane_.stop();
  // What is still queued then is of no more use to anybody.
  service_.stop([this] { end(); });
}

}  // namespace

int serve(const config::Settings& settings) { return Server(settings).run(); }

}  // namespace chipgate::app
