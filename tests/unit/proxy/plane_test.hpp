// PlaneTest: a plane with two shards, the test's thread as its control thread, and a gateway that the test plays.
#pragma once

#include "chipgate/net/socket.hpp"
#include "chipgate/proxy/plane.hpp"
#include "chipgate/telemetry/source.hpp"
#include "unit/proxy/port_test.hpp"
#include "unit/support/quiet_life.hpp"

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace chipgate::proxy {

class PlaneTest : public testing::Test, public lifecycle::DataPlaneEvents, public telemetry::MetricsSource {
 protected:
  static constexpr auto patience = 20s;

  PlaneOptions two_shards() const {
    PlaneOptions options;
    options.proxy.workers = 2;
    options.proxy.crowd_age = 0ms;
    options.gateway.endpoints = {{gateway::EndpointKind::http, "gateway.test", local_address(gateway_.get()).port}};
    return options;
  }
  static ChipId id(std::uint32_t number) { return *ChipId::parse("chip-" + std::to_string(number)); }

  std::uint16_t listen(std::uint32_t number) { return plane_.listen(ChipIndex(number), id(number), 0).value(); }

  // The control thread, until what it waits for has been told.
  [[nodiscard]] bool until(const std::function<bool()>& condition) {
    const auto end = Clock::now() + patience;
    while (!condition()) {
      if (Clock::now() > end) return false;
      control_.run_one_for(10ms);
    }
    return true;
  }
  [[nodiscard]] bool close(std::uint32_t number) {
    bool done = false;
    plane_.close(ChipIndex(number), [&] {
      EXPECT_EQ(std::this_thread::get_id(), control_thread_);
      done = true;
    });
    return until([&] { return done; });
  }
  static bool open(std::uint16_t port) {
    try {
      test::connect_to(test::loopback(port));
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& sample : plane_.chip_samples()) found.emplace_back(sample.chip);
    return found;
  }
  static gateway::RoutePtr route(std::uint64_t epoch) {
    const provider::Credentials credentials{Secret("user"), Secret("pass")};
    return gateway::make_route(SessionIdentifier("s"), Epoch(epoch), EndpointIndex(0), credentials,
                               gateway::IpLiterals::carried);
  }

  // An open tunnel of a chip that has a route; both of its sides.
  struct Joined {
    test::Peer client;
    test::Peer gateway;
  };
  Joined tunnel(std::uint16_t port) {
    Joined joined{test::Peer(test::connect_to(test::loopback(port))), {}};
    joined.client.send("CONNECT web.whatsapp.com:443 HTTP/1.1\r\n\r\n");
    net::UniqueFd accepted;
    EXPECT_TRUE(until([&] {
      accepted = net::UniqueFd(::accept4(gateway_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      return static_cast<bool>(accepted);
    }));
    joined.gateway = test::Peer(std::move(accepted));
    joined.gateway.send("HTTP/1.1 200 OK\r\n\r\n");
    EXPECT_TRUE(until([&] {
      joined.client.pump();
      return !joined.client.received().empty();
    }));
    return joined;
  }
  std::vector<lifecycle::TunnelView> tunnels() {
    std::optional<std::vector<lifecycle::TunnelView>> all;
    plane_.tunnels([&](auto found) { all = std::move(found); });
    EXPECT_TRUE(until([&] { return all.has_value(); }));
    return *all;
  }
  bool cut(lifecycle::TunnelId which) {
    std::optional<bool> found;
    plane_.cut(which, [&](bool was_there) { found = was_there; });
    EXPECT_TRUE(until([&] { return found.has_value(); }));
    return *found;
  }

  void wanted(ChipIndex chip) override { wanted_.push_back(chip); }
  void endpoint_news(EndpointIndex, gateway::EndpointNews) override {}
  void gateway_news(ChipIndex, Epoch, const Error&) override {}
  void other_exit(ChipIndex, Epoch, const IpAddress& seen) override { others_.push_back(seen); }
  void same_exit(ChipIndex, Epoch, const IpAddress& seen) override { same_.push_back(seen); }

  std::span<const telemetry::ChipSample> chips() const override { return plane_.chip_samples(); }
  std::span<const telemetry::ShardCounters* const> shards() const override { return plane_.shard_samples(); }
  std::vector<telemetry::EndpointSample> endpoints() const override { return {}; }
  std::uint64_t log_dropped() const override { return 0; }
  telemetry::LedgerSample ledger() const override { return {}; }
  const telemetry::LifeSource& life() const override { return life_; }

  test::QuietLife life_;
  net::UniqueFd gateway_ = net::listen_on(test::loopback());
  const std::thread::id control_thread_ = std::this_thread::get_id();
  boost::asio::io_context control_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{control_.get_executor()};
  telemetry::Log log_{telemetry::LogOptions{}, std::make_unique<NoLines>()};
  std::vector<ChipIndex> wanted_;
  std::vector<IpAddress> others_;
  std::vector<IpAddress> same_;
  Plane plane_{two_shards(), control_, log_};
};

}  // namespace chipgate::proxy
