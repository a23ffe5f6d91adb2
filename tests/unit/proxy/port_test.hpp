// PortTest: one chip's port on the test's own thread, with clients before it and a gateway behind it that say what the
// test wants.
#pragma once

#include "chipgate/proxy/port.hpp"
#include "unit/support/loopback.hpp"
#include "unit/support/shard_test.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chipgate::proxy {

using namespace std::chrono_literals;

class NoLines final : public telemetry::LineSink {
 public:
  telemetry::Written write(std::string_view) override { return telemetry::Written::whole; }
};

class PortTest : public test::ShardTest, public PortEvents, public gateway::EndpointObserver {
 protected:
  const ChipIndex chip{7};
  struct Named {
    Epoch epoch;
    IpAddress seen;
  };
  // A client's side and the gateway's of what they were joined to.
  struct Joined {
    test::Peer* client;
    test::Peer* gateway;
  };

  void TearDown() override {
    if (port_) {
      port_->close([this] { port_.reset(); });
      EXPECT_TRUE(until([&] { return !port_; })) << "something kept the port open";
    }
    gateway_ = {};
    ShardTest::TearDown();
  }

  // Once, before anything else.
  void start(const ProxyOptions& options = {}, gateway::EndpointKind kind = gateway::EndpointKind::http,
             const relay::RelayOptions& relaying = {}) {
    options_ = options;
    gateway_ = net::listen_on(test::loopback());
    gateway::GatewayOptions gateway;
    gateway.endpoints = {{kind, "gateway.test", local_address(gateway_.get()).port}};
    relay_.emplace(shard(), relaying, counters_);
    dialer_.emplace(shard(), gateway, counters_, *this);
    dialer_->endpoint(EndpointIndex(0)).resolved(std::vector{IpAddress::v4({127, 0, 0, 1})});
    auto listening = net::listen_on(test::loopback());
    address_ = local_address(listening.get());
    const ShardParts parts{shard(), *relay_, *dialer_, counters_, log_, options_, tunnel_ids_, all_tunnels_};
    port_ = std::make_unique<Port>(parts, static_cast<PortEvents&>(*this), chip, chip_counters_);
    port_->listen(paused_, std::move(listening));
  }

  static gateway::RoutePtr route(std::uint64_t epoch = 1, const std::vector<std::string>& exits = {}) {
    const provider::Credentials credentials{Secret("user-session-x"), Secret("pass")};
    const auto made = gateway::make_route(SessionIdentifier("chip-a-1"), Epoch(epoch), EndpointIndex(0), credentials,
                                          gateway::IpLiterals::carried);
    std::vector<IpAddress> addresses;
    for (const auto& exit : exits) addresses.push_back(*IpAddress::parse(exit));
    return gateway::with_exits(*made, std::move(addresses), {});
  }
  // Started, and with a route to the gateway.
  void serve(const std::vector<std::string>& exits = {}) {
    start();
    port_->open(route(1, exits));
  }

  // Accepted when it returns.
  test::Peer& connect() {
    const auto before = counters_.accepts.value();
    auto& client = peer(test::connect_to(address_));
    EXPECT_TRUE(until([&] { return counters_.accepts.value() > before; }));
    return client;
  }
  test::Peer& ask(const std::string& target = "web.whatsapp.com:443", const std::string& more = {}) {
    return connect().send("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n" + more + "\r\n");
  }
  test::Peer& get(const std::string& url = "http://plain.test/") {
    return connect().send("GET " + url + " HTTP/1.1\r\nHost: plain.test\r\n\r\n");
  }
  // The gateway's side of the next dial, asked.
  test::Peer& asked() {
    auto& gateway = dialed();
    EXPECT_TRUE(until([&] { return gateway.received().ends_with("\r\n\r\n"); }));
    return gateway;
  }
  test::Peer& dialed() {
    net::UniqueFd accepted;
    EXPECT_TRUE(until([&] {
      accepted = net::UniqueFd(::accept4(gateway_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      return static_cast<bool>(accepted);
    }));
    return peer(std::move(accepted));
  }
  // An open tunnel.
  Joined tunnel(const std::string& target = "web.whatsapp.com:443", const std::string& fields = {}) {
    auto& client = ask(target);
    auto& gateway = asked();
    gateway.send("HTTP/1.1 200 OK\r\n" + fields + "\r\n");
    EXPECT_TRUE(until([&] { return client.received().ends_with("\r\n\r\n"); }));
    client.take_received();
    gateway.take_received();
    return {&client, &gateway};
  }
  [[nodiscard]] bool ended(const test::Peer& one) {
    return until([&] { return one.ended(); });
  }
  // A held client that the port knows of.
  test::Peer& held() {
    const auto before = chip_counters_->clients_held.value();
    auto& client = ask();
    EXPECT_TRUE(until([&] { return chip_counters_->clients_held.value() > before; }));
    return client;
  }
  std::uint32_t refusals(ErrorKind kind) const { return chip_counters_->refusals.value(kind); }

  // A fence, and whether it is done.
  std::shared_ptr<bool> fence(std::uint64_t next = 2) {
    auto done = std::make_shared<bool>(false);
    port_->fence(Epoch(next), ErrorKind::fenced, [done] { *done = true; });
    return done;
  }
  // A look, and what came of it.
  std::shared_ptr<std::optional<lifecycle::Looked>> look(const gateway::RoutePtr& through,
                                                         Milliseconds timeout = 10'000ms) {
    auto looked = std::make_shared<std::optional<lifecycle::Looked>>();
    port_->look(through, protocol::parse_absolute_url("http://echo.test/ip").value(), timeout,
                [looked](lifecycle::Looked found) { looked->emplace(std::move(found)); });
    return looked;
  }

  void on_wanted(ChipIndex) override { ++wanted_; }
  void on_gateway_news(ChipIndex, Epoch, const Error& error) override { news_.push_back(error.kind); }
  void on_other_exit(ChipIndex, Epoch epoch, const IpAddress& seen) override { others_.push_back({epoch, seen}); }
  void on_same_exit(ChipIndex, Epoch epoch, const IpAddress& seen) override { same_.push_back({epoch, seen}); }
  void on_endpoint(EndpointIndex, gateway::EndpointNews) override {}

  ProxyOptions options_;
  telemetry::ShardCounters counters_;
  telemetry::Log log_{telemetry::LogOptions{}, std::make_unique<NoLines>()};
  net::UniqueFd gateway_;
  std::optional<relay::Relay> relay_;
  std::optional<gateway::Dialer> dialer_;
  net::PausedListeners paused_{shard(), [] {}};
  TunnelIds tunnel_ids_{3};
  TunnelTally all_tunnels_;
  SocketAddress address_;
  std::shared_ptr<PortCounters> chip_counters_ = std::make_shared<PortCounters>(*ChipId::parse("a"));
  std::unique_ptr<Port> port_;

  int wanted_ = 0;
  std::vector<ErrorKind> news_;
  std::vector<Named> others_;
  std::vector<Named> same_;
};

}  // namespace chipgate::proxy
