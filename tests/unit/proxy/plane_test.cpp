// Chips that come and go while the plane runs, on real shards.
#include "chipgate/proxy/plane.hpp"

#include "chipgate/net/socket.hpp"
#include "chipgate/telemetry/exposition.hpp"
#include "sim/simulator.hpp"
#include "unit/proxy/port_test.hpp"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <thread>

namespace chipgate::proxy {
namespace {

using namespace std::chrono_literals;

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
  std::vector<telemetry::StateCount> chip_states() const override { return {}; }
  std::uint64_t assignments_active() const override { return 0; }
  std::vector<telemetry::EndpointSample> endpoints() const override { return {}; }
  std::uint64_t log_dropped() const override { return 0; }

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

TEST_F(PlaneTest, ChipsComeAndGoWhileItRuns) {
  const auto first = listen(0);
  plane_.start(*this);
  const auto second = listen(1);
  const auto third = listen(2);
  EXPECT_EQ(names(), (std::vector<std::string>{"chip-0", "chip-1", "chip-2"}));
  ASSERT_TRUE(close(1));
  EXPECT_EQ(names(), (std::vector<std::string>{"chip-0", "chip-2"}));
  EXPECT_TRUE(open(first));
  EXPECT_FALSE(open(second));
  EXPECT_TRUE(open(third));
  // The port is free, for a chip of another index.
  EXPECT_EQ(plane_.listen(ChipIndex(3), id(1), second).value(), second);
  EXPECT_TRUE(open(second));
}

TEST_F(PlaneTest, ANewChipServesItsClients) {
  plane_.start(*this);
  const auto port = listen(5);
  test::Peer client(test::connect_to(test::loopback(port)));
  client.send("CONNECT web.whatsapp.com:443 HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(until([&] { return wanted_ == std::vector{ChipIndex(5)}; }));
  ASSERT_TRUE(until([&] { return plane_.usage(ChipIndex(5)).clients_held == 1; }));
  ASSERT_TRUE(close(5));
  client.pump();
  EXPECT_EQ(client.error(), ECONNRESET);
}

TEST_F(PlaneTest, APortThatSomebodyElseHasIsToldAndLeavesNothingBehind) {
  const auto taken = net::listen_on(test::loopback());
  const auto answer = plane_.listen(ChipIndex(0), id(0), local_address(taken.get()).port);
  ASSERT_TRUE(answer.has_error());
  EXPECT_EQ(answer.error(), ErrorKind::port_not_bound);
  EXPECT_NE(answer.error().detail.find("in use"), std::string::npos) << answer.error().detail;
  EXPECT_TRUE(names().empty());
  EXPECT_NE(listen(0), 0);
}

TEST_F(PlaneTest, AChipMayGoInTheMiddleOfAScrape) {
  for (std::uint32_t i = 0; i < 50; ++i) listen(i);
  plane_.start(*this);
  const telemetry::Exposition exposition(*this);
  std::string text;
  // As the server does it: family after family, and whatever else the control thread has to do in between.
  for (std::size_t family = 0; family < exposition.family_count(); ++family) {
    text += exposition.render(family);
    const auto number = static_cast<std::uint32_t>(family);
    if (number < 50) {
      ASSERT_TRUE(close(number));
    }
    listen(static_cast<std::uint32_t>(100 + family));
  }
  EXPECT_NE(text.find("chip-49"), std::string::npos);
  EXPECT_EQ(names().size(), 50U);
}

TEST_F(PlaneTest, ItsCountersAreReadWhileAPortGoes) {
  plane_.start(*this);
  const auto port = listen(0);
  test::Peer client(test::connect_to(test::loopback(port)));
  client.send("CONNECT web.whatsapp.com:443 HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(until([&] { return plane_.usage(ChipIndex(0)).clients_held == 1; }));
  bool done = false;
  plane_.close(ChipIndex(0), [&] { done = true; });
  EXPECT_TRUE(plane_.chip_samples().empty());
  EXPECT_EQ(plane_.usage(ChipIndex(0)).clients_held, 0) << "it is known no more";
  ASSERT_TRUE(until([&] { return done; }));
}

TEST_F(PlaneTest, WhateverIsAskedIsAnsweredOnceEvenOfAChipThatIsGone) {
  plane_.start(*this);
  listen(0);
  ASSERT_TRUE(close(0));
  int answers = 0;
  plane_.open(ChipIndex(0), route(1));
  plane_.refuse(ChipIndex(0), {ErrorKind::no_assignment});
  plane_.fence(ChipIndex(0), Epoch(2), ErrorKind::fenced, [&] { ++answers; });
  plane_.close(ChipIndex(0), [&] { ++answers; });
  std::optional<lifecycle::Looked> looked;
  plane_.look(ChipIndex(0), route(1), protocol::parse_absolute_url("http://echo.test/").value(), 1'000ms,
              [&](lifecycle::Looked found) { looked.emplace(std::move(found)); });
  ASSERT_TRUE(until([&] { return answers == 2 && looked; }));
  EXPECT_EQ(looked->address.error(), ErrorKind::fenced);
}

TEST_F(PlaneTest, TunnelsOfAllShardsAreSeenAndCut) {
  plane_.start(*this);
  plane_.publish(EndpointIndex(0), std::vector{IpAddress::v4({127, 0, 0, 1})});
  const std::array ports{listen(0), listen(1)};
  for (std::uint32_t i = 0; i < 2; ++i) plane_.open(ChipIndex(i), route(1));
  std::array joined{tunnel(ports[0]), tunnel(ports[1]), tunnel(ports[1])};
  EXPECT_EQ(plane_.usage(ChipIndex(1)).tunnels_open, 2);

  auto all = tunnels();
  ASSERT_EQ(all.size(), 3U);
  std::optional<std::vector<lifecycle::Crowd>> crowds;
  plane_.crowds([&](auto found) { crowds = std::move(found); });
  ASSERT_TRUE(until([&] { return crowds.has_value(); }));
  ASSERT_EQ(crowds->size(), 1U);
  EXPECT_EQ(crowds->front().chip, ChipIndex(1));
  EXPECT_EQ(crowds->front().whatsapp_sessions, 2U);

  std::ranges::sort(all, {}, &lifecycle::TunnelView::chip);
  EXPECT_EQ(all.front().chip_id, "chip-0");
  EXPECT_TRUE(cut(all.front().id));
  EXPECT_FALSE(cut(all.front().id));
  EXPECT_FALSE(cut(TunnelIds(99).next())) << "there is no such shard";
  ASSERT_TRUE(until([&] {
    joined[0].client.pump();
    return joined[0].client.ended();
  }));
  EXPECT_EQ(tunnels().size(), 2U);
}

TEST_F(PlaneTest, ALookEndsWithTheFence) {
  plane_.start(*this);
  listen(0);
  std::vector<std::string> told;
  // The gateway's name is not resolved yet, so it waits.
  plane_.look(ChipIndex(0), route(1), protocol::parse_absolute_url("http://echo.test/").value(), 60'000ms,
              [&](const lifecycle::Looked& looked) { told.emplace_back(info(looked.address.error().kind).name); });
  plane_.fence(ChipIndex(0), Epoch(2), ErrorKind::fenced, [&] { told.emplace_back("done"); });
  ASSERT_TRUE(until([&] { return told.size() == 2; }));
  EXPECT_EQ(told, (std::vector<std::string>{"fenced", "done"}));
}

// Against the simulated provider: a look tells the exit, replies confirm it, and after a move nobody is let through.
TEST_F(PlaneTest, AMoveIsSeenInTheNextReplyAndLetsNobodyThrough) {
  sim::SimulatorOptions simulated;
  simulated.exit_header = "x-brd-ip";
  sim::Simulator provider(simulated);
  auto options = two_shards();
  options.gateway.endpoints = {{gateway::EndpointKind::http, "gateway.test", provider.ports().http.port}};
  Plane plane(options, control_, log_);
  plane.start(*this);
  plane.publish(EndpointIndex(0), std::vector{IpAddress::v4({127, 0, 0, 1})});
  const auto port = plane.listen(ChipIndex(0), id(0), 0).value();
  const auto session = [](std::uint64_t epoch) {
    const provider::Credentials credentials{Secret("user-session-one"), Secret("pass")};
    return gateway::make_route(SessionIdentifier("one"), Epoch(epoch), EndpointIndex(0), credentials,
                               gateway::IpLiterals::carried);
  };
  const auto look = [&](std::uint64_t epoch) {
    std::optional<lifecycle::Looked> looked;
    plane.look(ChipIndex(0), session(epoch), protocol::parse_absolute_url("http://exit-ip.sim/").value(), 10'000ms,
               [&](lifecycle::Looked found) { looked.emplace(std::move(found)); });
    EXPECT_TRUE(until([&] { return looked.has_value(); }));
    return looked->address;
  };
  const auto ask = [&](const std::string& target, const std::function<bool(const test::Peer&)>& enough) {
    test::Peer client(test::connect_to(test::loopback(port)));
    client.send("CONNECT " + target + " HTTP/1.1\r\n\r\nearly");
    EXPECT_TRUE(until([&] {
      client.pump();
      return enough(client);
    }));
    return client.take_received();
  };

  const auto exit = look(1);
  ASSERT_TRUE(exit.has_value());
  plane.open(ChipIndex(0), gateway::with_exits(*session(1), {*exit}));
  const auto welcome = ask("first.sim:7", [](const auto& client) { return client.received().ends_with("early"); });
  EXPECT_TRUE(welcome.starts_with("HTTP/1.1 200")) << welcome;
  ASSERT_TRUE(until([&] { return same_ == std::vector{*exit}; }));

  const auto elsewhere = *IpAddress::parse("127.20.250.250");
  provider.move("one", elsewhere);
  EXPECT_EQ(ask("second.sim:7", [](const auto& client) { return client.ended(); }), "");
  EXPECT_EQ(others_, std::vector{elsewhere});
  for (const auto& entry : provider.log()) {
    EXPECT_FALSE(entry.who->target == "second.sim:7" && entry.event == sim::LogEvent::in)
        << "something was let through";
  }

  bool fenced = false;
  plane.fence(ChipIndex(0), Epoch(2), ErrorKind::fenced, [&] { fenced = true; });
  EXPECT_EQ(look(2).value(), elsewhere) << "a look needs no open route";
  EXPECT_TRUE(until([&] { return fenced; }));
  EXPECT_EQ(look(1).error(), ErrorKind::fenced);
}

TEST_F(PlaneTest, AnIndexIsNeverUsedTwice) {
  listen(0);
  EXPECT_THROW(listen(0), std::logic_error);
}

}  // namespace
}  // namespace chipgate::proxy
