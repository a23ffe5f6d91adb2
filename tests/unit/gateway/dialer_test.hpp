// DialerTest: a dialer and a gateway on loopback whose every word the test decides.
#pragma once

#include "chipgate/gateway/dialer.hpp"
#include "chipgate/net/socket.hpp"
#include "unit/support/loopback.hpp"
#include "unit/support/shard_test.hpp"

#include <deque>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace chipgate::gateway {

using namespace std::chrono_literals;

class DialerTest : public test::ShardTest, public EndpointObserver {
 protected:
  // One dial and what came of it.
  struct Attempt {
    Attempt(net::Shard& shard, telemetry::ShardCounters& counters, RoutePtr chosen)
        : waiter(shard), watch(counters), route(std::move(chosen)) {}

    bool over() const { return result.has_value(); }
    ErrorKind error() const { return result->error().kind; }

    net::Waiter waiter;
    telemetry::StageWatch watch;
    RoutePtr route;
    std::optional<Result<Connected>> result;
  };

  void TearDown() override {
    for (auto& attempt : attempts_) attempt.waiter.call_off(ErrorKind::draining);
    quiesce();
    attempts_.clear();
    listeners_.clear();
    ShardTest::TearDown();
  }

  void on_endpoint(EndpointIndex index, EndpointNews news) override { news_.emplace_back(index, news); }

  // A gateway at this address, of the port that the first one got.
  void listen(const std::string& ip = "127.0.0.1") {
    if (port_ == 0) port_ = free_port();
    const SocketAddress wanted{*IpAddress::parse(ip), port_};
    listeners_[ip] = net::listen_on(wanted);
  }
  // At every address, and none that the kernel gives to others meanwhile.
  static std::uint16_t free_port() {
    constexpr int lowest = 30'000;
    constexpr int count = 2'700;
    for (int i = 0; i < count; ++i) {
      const auto port = static_cast<std::uint16_t>(lowest + (::getpid() + i) % count);
      try {
        for (const auto* ip : {"127.0.0.1", "127.0.0.2", "127.0.0.3"}) {
          (void)net::listen_on({*IpAddress::parse(ip), port});
        }
        return port;
      } catch (const std::system_error&) {
        continue;
      }
    }
    throw std::runtime_error("no port is free");
  }

  // With every listener open, or none where nobody should answer.
  Dialer& dialer(EndpointKind kind = EndpointKind::http, const TlsOptions& tls = {}, Milliseconds patience = 5'000ms) {
    GatewayOptions options;
    options.endpoints = {{kind, "gateway.test", port_}};
    options.tls = tls;
    options.connect_timeout = patience;
    dialer_ = std::make_unique<Dialer>(shard(), options, counters_, *this);
    return *dialer_;
  }
  void resolve(const std::vector<std::string>& ips = {"127.0.0.1"}) {
    std::vector<IpAddress> addresses;
    for (const auto& ip : ips) addresses.push_back(*IpAddress::parse(ip));
    dialer_->endpoint(EndpointIndex(0)).resolved(addresses);
  }
  void use(EndpointKind kind, const TlsOptions& tls = {}) {
    listen();
    dialer(kind, tls);
    resolve();
  }

  Attempt& dial(Milliseconds budget = 10'000ms) {
    const provider::Credentials credentials{Secret("user-session-x"), Secret("pass")};
    auto& attempt = attempts_.emplace_back(
        shard(), counters_,
        make_route(SessionIdentifier("chip-a-1"), Epoch(1), EndpointIndex(0), credentials, IpLiterals::carried));
    shard().tasks().spawn(run(*dialer_, attempt, Clock::now() + budget));
    return attempt;
  }

  // The gateway's side of the dial that comes next.
  test::Peer& accept(const std::string& ip = "127.0.0.1") {
    net::UniqueFd accepted;
    EXPECT_TRUE(until([&] {
      accepted = net::UniqueFd(::accept4(listeners_[ip].get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      return static_cast<bool>(accepted);
    }));
    return peer(std::move(accepted));
  }
  // Once it has been asked.
  test::Peer& asked() {
    auto& gateway = accept();
    EXPECT_TRUE(until([&] { return gateway.received().ends_with("\r\n\r\n"); }));
    return gateway;
  }
  [[nodiscard]] bool over(const Attempt& attempt) {
    return until([&] { return attempt.over(); });
  }
  // Everything that was sent has been looked at.
  void digest(const test::Peer& gateway) {
    test::settle(gateway.fd());
    while (shard().context().poll() > 0) {
    }
  }

  // What the connected socket still reads.
  std::string read_on(Attempt& attempt) {
    auto& end = *attempt.result->value().upstream;
    std::string all;
    std::array<char, 256> room;
    while (end.readable()) {
      const auto outcome = end.read(room);
      if (outcome.status != net::IoStatus::moved) break;
      all.append(room.data(), outcome.bytes);
    }
    return all;
  }

  std::uint16_t port_ = 0;
  std::map<std::string, net::UniqueFd> listeners_;
  telemetry::ShardCounters counters_;
  std::vector<std::pair<EndpointIndex, EndpointNews>> news_;
  std::unique_ptr<Dialer> dialer_;
  std::deque<Attempt> attempts_;

 private:
  static net::Task<void> run(Dialer& dialer, Attempt& attempt, TimePoint until) {
    const Dial dial{attempt.waiter, *attempt.route, attempt.watch, until};
    protocol::Authority target{"web.whatsapp.com", 443};
    auto result = co_await dialer.dial(dial, std::move(target));
    attempt.result.emplace(std::move(result));
  }
};

}  // namespace chipgate::gateway
