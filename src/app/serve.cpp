// Wiring, signals and the end.
#include "chipgate/app/serve.hpp"

#include "chipgate/admin/api.hpp"
#include "chipgate/admin/server.hpp"
#include "chipgate/admin/token.hpp"
#include "chipgate/admin/webhook.hpp"
#include "chipgate/app/configuration.hpp"
#include "chipgate/gateway/names.hpp"
#include "chipgate/ledger/open.hpp"
#include "chipgate/lifecycle/service.hpp"
#include "chipgate/net/resolver.hpp"
#include "chipgate/proxy/plane.hpp"
#include "chipgate/telemetry/exposition.hpp"
#include "chipgate/telemetry/log.hpp"
#include "service_options.hpp"
#include "start_report.hpp"

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <stdexcept>

namespace chipgate::app {
namespace {

constexpr Milliseconds drain_poll{50};
constexpr Milliseconds end_poll{5};

// Members are in the order in which they depend on each other, and go in the opposite one.
class Server final : private telemetry::MetricsSource, private admin::ReadinessSource {
 public:
  Server(const config::Settings& settings, ReadAgain read);
  int run();

 private:
  std::span<const telemetry::ChipSample> chips() const override { return plane_.chip_samples(); }
  std::span<const telemetry::ShardCounters* const> shards() const override { return plane_.shard_samples(); }
  std::vector<telemetry::EndpointSample> endpoints() const override;
  std::uint64_t log_dropped() const override { return log_.dropped(); }
  telemetry::LedgerSample ledger() const override;
  const telemetry::LifeSource& life() const override { return service_; }
  admin::Readiness readiness() const override;

  Configuration::Steps reload_steps(ReadAgain read);
  void take_on(const config::Settings& in_force, const std::vector<std::string>& keys);
  void open_webhook(const std::optional<admin::WebhookOptions>& options);
  void begin();
  void open_admin();
  void await_signal();
  void reopen_log();
  void on_signal(int number);
  void drain();
  void stop();
  void end();

  const config::Settings& settings_;  // as they were at the start
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
  Configuration configuration_;
  admin::Api api_;
  std::optional<admin::Webhook> webhook_;
  std::unique_ptr<admin::Server> admin_;
  bool bound_ = false;
  std::optional<TimePoint> draining_until_;
};

Server::Server(const config::Settings& settings, ReadAgain read)
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
      configuration_(control_, log_, settings, reload_steps(std::move(read))),
      api_{service_,
           *opened_.ledger,
           configuration_,
           feed_,
           admin::provide_token(settings.admin, log_),
           settings.admin.price} {
  signals_.add(SIGUSR1);
}

int Server::run() {
  log_.when_full(telemetry::WhenFull::wait);
  log_.info("starting", {{"version", CHIPGATE_VERSION}, {"chips", settings_.chips.size()}});
  report_descriptors(log_, settings_.chips.size());
  report_ledger(log_, opened_.restored, settings_.ledger.path.string());
  begin();
  open_admin();
  log_.info("admin_open", {{"address", admin::listen_text(settings_.admin)}, {"port", admin_->port()}});
  open_webhook(settings_.admin.webhook);
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

Configuration::Steps Server::reload_steps(ReadAgain read) {
  Configuration::Steps steps;
  steps.read = std::move(read);
  steps.ports = [this] {
    std::map<ChipId, std::uint16_t> ports;
    for (const auto& chip : service_.chips()) ports.emplace(chip.spec.id, chip.spec.port);
    return ports;
  };
  steps.reconfigure = [this](lifecycle::Reconfigure wanted) { return service_.reconfigure(std::move(wanted)); };
  steps.spread = [this](const auto& in_force, const auto& keys) { take_on(in_force, keys); };
  return steps;
}

void Server::take_on(const config::Settings& in_force, const std::vector<std::string>& keys) {
  log_.set_level(in_force.log.level);
  log_.set_access_lines(in_force.log.access);
  api_.price = in_force.admin.price;
  plane_.take_on(in_force.proxy);
  if (std::ranges::find(keys, "admin.webhook") != keys.end()) open_webhook(in_force.admin.webhook);
}

void Server::open_webhook(const std::optional<admin::WebhookOptions>& options) {
  webhook_.reset();
  if (options) webhook_.emplace(control_, *options, feed_, *resolver_, log_);
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
  if (number == SIGHUP || number == SIGUSR1) {
    reopen_log();
    if (number == SIGHUP) configuration_.hang_up();
    await_signal();
    return;
  }
  // A person at a terminal, or somebody who asks twice, does not want to wait.
  if (number == SIGINT || draining_until_) {
    stop();
    return;
  }
  const auto patience = configuration_.in_force().proxy.drain_deadline;
  log_.info("draining", {{"tunnels", plane_.tunnels_open()}, {"seconds", patience}});
  configuration_.close();
  draining_until_ = Clock::now() + patience;
  plane_.leave();
  await_signal();
  drain();
}

void Server::reopen_log() {
  if (const auto error = log_.reopen()) log_.error("log_not_reopened", {{"detail", error.message()}});
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
  configuration_.close();
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

int serve(const config::Settings& settings, ReadAgain read) { return Server(settings, std::move(read)).run(); }

}  // namespace chipgate::app
