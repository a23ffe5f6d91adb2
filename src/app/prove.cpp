// Proving a gateway with three looks.
#include "chipgate/app/prove.hpp"

#include "chipgate/cli/diagnosis.hpp"
#include "chipgate/gateway/look.hpp"
#include "chipgate/gateway/names.hpp"
#include "chipgate/net/resolver.hpp"
#include "chipgate/provider/session.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <utility>

namespace chipgate::app {
namespace {

constexpr Milliseconds look_timeout{15'000};

class Proof final : private gateway::EndpointObserver {
 public:
  Proof(const config::Settings& settings, EndpointIndex endpoint, const OnLook& on_look)
      : settings_(settings),
        endpoint_(endpoint),
        on_look_(on_look),
        provider_(provider::Provider::make(settings.provider).value()),
        dialer_(shard_, settings.gateway, counters_, *this),
        names_(shard_.context(), resolver_, settings.gateway,
               [this](EndpointIndex index, const auto& answer) { dialer_.endpoint(index).resolved(answer); }) {}

  Looks run() {
    names_.start();
    shard_.tasks().spawn(look_three_times());
    shard_.run();
    return looks_;
  }

 private:
  void on_endpoint(EndpointIndex, gateway::EndpointNews) override {}

  net::Task<void> look_three_times() {
    const auto one = new_route();
    const auto other = new_route();
    const std::array<std::pair<std::string_view, gateway::RoutePtr>, 3> steps{
        {{"session 1", one}, {"session 2", other}, {"session 1 again", one}}};
    for (const auto& [what, route] : steps) {
      if (echoes().empty()) break;
      auto exit = co_await look_through(*route);
      // One exit of a residential pool may be gone this moment; an account is refused for good.
      const bool may_be_one_exit = exit.has_error() && info(exit.error().kind).fault == Fault::provider &&
                                   exit.error() != ErrorKind::provider_auth;
      if (may_be_one_exit) exit = co_await look_through(*route);
      on_look_(what, exit);
      if (exit.has_error()) {
        looks_.trouble = exit.error();
        break;
      }
      looks_.exits.push_back(*exit);
    }
    names_.stop();
    shard_.post([this] { shard_.stop(); });
  }

  const std::vector<protocol::HttpUrl>& echoes() const {
    const auto& verify = settings_.life.verify;
    return verify.echoes_v4.empty() ? verify.echoes_v6 : verify.echoes_v4;
  }

  gateway::RoutePtr new_route() {
    const auto session = session_names_.next(*ChipId::parse("prove"), std::chrono::system_clock::now());
    const auto wire = provider_.wire_session(session, random_);
    return gateway::make_route(session, Epoch(1), endpoint_, provider_.render(wire), gateway::IpLiterals::carried);
  }

  // The first echo that answers with an address: one that is down says nothing about the gateway.
  net::Task<Result<IpAddress>> look_through(const gateway::Route& route) {
    Error last{ErrorKind::gateway_garbled};
    for (const auto& echo : echoes()) {
      net::Waiter waiter(shard_);
      telemetry::StageWatch watch(counters_);
      const auto until = Clock::now() + look_timeout;
      const auto seen = co_await gateway::look(dialer_, {waiter, route, watch, until}, echo);
      if (seen.date) {
        const auto ahead = std::chrono::system_clock::now() - *seen.date;
        looks_.clock_ahead = std::chrono::duration_cast<Milliseconds>(ahead);
      }
      if (seen.address.has_value()) co_return *seen.address;
      last = seen.address.error();
      // Another echo would be told the same.
      if (last == ErrorKind::provider_auth || last == ErrorKind::gateway_refused) break;
    }
    co_return last;
  }

  const config::Settings& settings_;
  EndpointIndex endpoint_;
  const OnLook& on_look_;
  provider::Provider provider_;
  provider::RandomBits random_ = provider::system_random();
  provider::SessionNames session_names_;
  net::Shard shard_;
  telemetry::ShardCounters counters_;
  gateway::Dialer dialer_;
  net::SystemResolver resolver_;
  gateway::Names names_;
  Looks looks_;
};

int judge(const std::vector<IpAddress>& exits, std::ostream& out) {
  if (exits[0] == exits[1]) {
    out << "NOT PROVED: two sessions share one exit. The username's grammar (gateway.preset) may be wrong, or the "
           "pool very small.\n";
  } else if (exits[0] != exits[2]) {
    out << "NOT PROVED: one session changed its exit. Are these sticky-session credentials?\n";
  } else {
    out << "PROVED: two sessions have two exits, and one repeated keeps its own.\n";
    return 0;
  }
  return 1;
}

int prove_endpoint(const config::Settings& settings, EndpointIndex endpoint, std::ostream& out) {
  out << "Asking through " << settings.gateway.endpoints.at(endpoint.value()).name() << " with the grammar "
      << settings.provider.preset << ":" << '\n'
      << std::flush;
  const auto looks = look_three_times(settings, endpoint, [&out](std::string_view what, const Result<IpAddress>& exit) {
    if (exit.has_value()) {
      out << "  " << what << " leaves by " << exit->text() << '\n' << std::flush;
    } else {
      out << "  " << what << " failed: " << cli::text(exit.error()) << '\n' << std::flush;
    }
  });
  if (looks.trouble) return 1;
  if (!looks.exits.empty()) return judge(looks.exits, out);
  out << "NOT PROVED: no echoes are configured (verify.echoes_v4).\n";
  return 1;
}

}  // namespace

Looks look_three_times(const config::Settings& settings, EndpointIndex endpoint, const OnLook& on_look) {
  return Proof(settings, endpoint, on_look).run();
}

int prove(const config::Settings& settings, std::ostream& out) {
  int worst = 0;
  for (std::uint32_t i = 0; i < settings.gateway.endpoints.size(); ++i)
    worst = std::max(worst, prove_endpoint(settings, EndpointIndex(i), out));
  return worst;
}

}  // namespace chipgate::app
