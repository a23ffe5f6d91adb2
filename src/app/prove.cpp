// Proving a gateway with three looks.
#include "chipgate/app/prove.hpp"

#include "chipgate/gateway/look.hpp"
#include "chipgate/gateway/names.hpp"
#include "chipgate/net/resolver.hpp"
#include "chipgate/provider/session.hpp"

#include <ostream>

namespace chipgate::app {
namespace {

constexpr Milliseconds look_timeout{15'000};

class Proof final : private gateway::EndpointObserver {
 public:
  Proof(const config::Settings& settings, std::ostream& out)
      : settings_(settings),
        out_(out),
        provider_(provider::Provider::make(settings.provider).value()),
        dialer_(shard_, settings.gateway, counters_, *this),
        names_(shard_.context(), resolver_, settings.gateway,
               [this](EndpointIndex index, const auto& answer) { dialer_.endpoint(index).resolved(answer); }) {}

  int run() {
    names_.start();
    shard_.tasks().spawn(look_three_times());
    shard_.run();
    return verdict_;
  }

 private:
  void on_endpoint(EndpointIndex, gateway::EndpointNews) override {}

  net::Task<void> look_three_times() {
    const auto one = new_route();
    const auto other = new_route();
    const auto first = co_await look_through("session 1", *one);
    if (first) {
      const auto second = co_await look_through("session 2", *other);
      const auto again = second ? co_await look_through("session 1 again", *one) : std::nullopt;
      if (again) judge(*first, *second, *again);
    }
    names_.stop();
    shard_.post([this] { shard_.stop(); });
  }

  gateway::RoutePtr new_route() {
    const auto session = session_names_.next(*ChipId::parse("prove"), std::chrono::system_clock::now());
    const auto wire = provider_.wire_session(session, random_);
    return gateway::make_route(session, Epoch(1), EndpointIndex(0), provider_.render(wire),
                               gateway::IpLiterals::carried);
  }

  // The first echo that answers with an address: one that is down says nothing about the gateway.
  net::Task<std::optional<IpAddress>> look_through(std::string_view what, const gateway::Route& route) {
    Error last{ErrorKind::gateway_garbled};
    for (const auto& echo : settings_.life.verify.echoes_v4) {
      net::Waiter waiter(shard_);
      telemetry::StageWatch watch(counters_);
      const auto until = Clock::now() + look_timeout;
      const auto seen = co_await gateway::look(dialer_, {waiter, route, watch, until}, echo);
      if (seen.address.has_value()) {
        out_ << "  " << what << " leaves by " << seen.address->text() << '\n' << std::flush;
        co_return *seen.address;
      }
      last = seen.address.error();
      // Another echo would be told the same.
      if (last == ErrorKind::provider_auth || last == ErrorKind::gateway_refused) break;
    }
    out_ << "  " << what << " failed: " << info(last.kind).message << " [" << info(last.kind).name << "]";
    if (!last.detail.empty()) out_ << ": " << last.detail;
    out_ << '\n' << std::flush;
    co_return std::nullopt;
  }

  void judge(const IpAddress& first, const IpAddress& second, const IpAddress& again) {
    if (first == second) {
      out_ << "NOT PROVED: two sessions share one exit. The username's grammar (gateway.preset) may be wrong, or the "
              "pool very small.\n";
    } else if (first != again) {
      out_ << "NOT PROVED: one session changed its exit. Are these sticky-session credentials?\n";
    } else {
      out_ << "PROVED: two sessions have two exits, and one repeated keeps its own.\n";
      verdict_ = 0;
    }
  }

  const config::Settings& settings_;
  std::ostream& out_;
  provider::Provider provider_;
  provider::RandomBits random_ = provider::system_random();
  provider::SessionNames session_names_;
  net::Shard shard_;
  telemetry::ShardCounters counters_;
  gateway::Dialer dialer_;
  net::SystemResolver resolver_;
  gateway::Names names_;
  int verdict_ = 1;
};

}  // namespace

int prove(const config::Settings& settings, std::ostream& out) {
  out << "Asking through " << settings.gateway.endpoints.front().name() << " as a " << settings.provider.preset
      << " gateway:" << '\n'
      << std::flush;
  return Proof(settings, out).run();
}

}  // namespace chipgate::app
