// The bounded places of a chip.
#include "unit/proxy/port_test.hpp"

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

namespace chipgate::proxy {
namespace {

class PortPlaces : public PortTest {};

// In an outage every refusal is paced, and a client that waits for the chip's new assignment is not to blame for it.
TEST_F(PortPlaces, PacedRefusalsTakeNoHoldersPlace) {
  start();
  std::vector<Place> paced;
  while (auto place = port_->take_pause()) paced.push_back(std::move(*place));
  EXPECT_EQ(paced.size(), options_.limits.held_per_chip);
  EXPECT_EQ(port_->counters().clients_held.value(), 0);
  const auto held = port_->take_hold();
  EXPECT_TRUE(held);
  EXPECT_EQ(port_->counters().clients_held.value(), 1);
}

TEST_F(PortPlaces, APlaceIsGivenBackWhenItGoes) {
  start();
  {
    std::vector<Place> held;
    while (auto place = port_->take_hold()) held.push_back(std::move(*place));
    EXPECT_EQ(held.size(), options_.limits.held_per_chip);
  }
  EXPECT_EQ(port_->counters().clients_held.value(), 0);
  EXPECT_TRUE(port_->take_hold());
}

TEST_F(PortPlaces, AChipHasNoMoreTunnelsThanItsOwnLimitAndThatOfAll) {
  ProxyOptions options;
  options.limits = {.tunnels = 3, .tunnels_per_chip = 2};
  start(options);
  auto first = port_->take_tunnel();
  auto second = port_->take_tunnel();
  EXPECT_EQ(port_->take_tunnel().error(), ErrorKind::too_many_tunnels);
  // Another chip's, on whatever shard.
  EXPECT_TRUE(all_tunnels_.take(options.limits.tunnels));
  {
    const auto gone = std::move(second);
  }
  EXPECT_TRUE(all_tunnels_.take(options.limits.tunnels));
  EXPECT_EQ(port_->take_tunnel().error(), ErrorKind::too_many_tunnels_in_all);
  all_tunnels_.give_back();
  EXPECT_TRUE(port_->take_tunnel().has_value());
}

TEST_F(PortPlaces, AreCountedWithoutALimitSoThatOneMayComeLater) {
  start();
  const auto one = port_->take_tunnel();
  const auto other = port_->take_tunnel();
  EXPECT_EQ(all_tunnels_.taken(), 2U);
  options_.limits.tunnels = 2;
  EXPECT_EQ(port_->take_tunnel().error(), ErrorKind::too_many_tunnels_in_all);
}

class Held : public PortTest {};

TEST_F(Held, AreToldOfOnceAndAgainWhenAllOfThemHaveGivenUp) {
  start();
  auto& first = held();
  auto& second = held();
  EXPECT_EQ(wanted_, 1);
  first.reset();
  second.reset();
  ASSERT_TRUE(until([&] { return chip_counters_->clients_held.value() == 0; }));
  held();
  EXPECT_EQ(wanted_, 2);
}

TEST_F(Held, HearWhyTheyWaitedInVain) {
  ProxyOptions options;
  options.connect_budget = 50ms;
  start(options);
  port_->explain({ErrorKind::gateway_refused});
  auto& client = ask("a.test:443", "User-Agent: curl\r\n");
  ASSERT_TRUE(ended(client));
  EXPECT_NE(client.received().find("no_assignment"), std::string::npos) << client.received();
  EXPECT_NE(client.received().find("gateway_refused"), std::string::npos) << client.received();
}

TEST_F(Held, HearNothingOfFailuresThatOthersWereRefusedFor) {
  ProxyOptions options;
  options.connect_budget = 50ms;
  start(options);
  port_->explain({ErrorKind::gateway_refused});
  port_->refuse({ErrorKind::chip_blocked});
  auto& client = ask("a.test:443", "User-Agent: curl\r\n");
  ASSERT_TRUE(ended(client));
  EXPECT_NE(client.received().find("no_assignment"), std::string::npos) << client.received();
  EXPECT_EQ(client.received().find("gateway_refused"), std::string::npos) << client.received();
}

class Handshakes : public PortTest {
 protected:
  void serve_at_most(std::uint32_t handshakes) {
    ProxyOptions options;
    options.limits.handshakes_per_chip = handshakes;
    start(options);
    port_->open(route());
  }
};

TEST_F(Handshakes, OneMoreThrowsOutTheOneThatTookTheLongest) {
  serve_at_most(2);
  auto& silent = connect();
  auto& begun = connect().send("CONNECT a.test:443 HTTP/1.1\r\nUser-Agent: curl\r\n");
  auto& third = connect();
  ASSERT_TRUE(ended(silent));
  EXPECT_EQ(silent.received(), "");
  connect();
  ASSERT_TRUE(ended(begun));
  EXPECT_TRUE(begun.received().starts_with("HTTP/1.1 429 Too Many Requests (too_many_handshakes)")) << begun.received();
  EXPECT_EQ(refusals(ErrorKind::too_many_handshakes), 2U);
  EXPECT_FALSE(third.ended());
}

TEST_F(Handshakes, WhoHasAskedTakesNoPlaceAndIsNotThrownOut) {
  serve_at_most(1);
  auto& asking = ask("a.test:443");
  asked();
  connect();
  const auto joined = tunnel("b.test:443");
  EXPECT_FALSE(asking.ended());
  EXPECT_FALSE(joined.client->ended());
  EXPECT_EQ(refusals(ErrorKind::too_many_handshakes), 1U);
}

TEST_F(Handshakes, ManyMoreLeaveAsManyAsThereMayBe) {
  serve_at_most(3);
  for (int i = 0; i < 20; ++i) connect();
  ASSERT_TRUE(until([&] { return refusals(ErrorKind::too_many_handshakes) == 17; }));
  ASSERT_TRUE(until([&] { return counters_.handshakes.value() == 3; }));
  tunnel();
}

class AllTunnels : public PortTest {
 protected:
  void serve_at_most(std::uint32_t tunnels) {
    ProxyOptions options;
    options.limits.tunnels = tunnels;
    start(options);
    port_->open(route());
  }
};

TEST_F(AllTunnels, RefuseOneMoreAndTakeItOnceOneHasEnded) {
  serve_at_most(1);
  const auto joined = tunnel();
  auto& refused = ask("b.test:443", "User-Agent: curl\r\n");
  ASSERT_TRUE(ended(refused));
  EXPECT_TRUE(refused.received().starts_with("HTTP/1.1 429 Too Many Requests (too_many_tunnels_in_all)"));
  EXPECT_EQ(refusals(ErrorKind::too_many_tunnels_in_all), 1U);
  joined.client->reset();
  ASSERT_TRUE(until([&] { return all_tunnels_.taken() == 0; }));
  tunnel("c.test:443");
}

// It may wait for seconds until it is told, and holds nothing upstream meanwhile.
TEST_F(AllTunnels, HaveThePlaceOfAClientThatIsBeingRefused) {
  serve_at_most(1);
  ask("a.test:443");
  auto& gateway = asked();
  EXPECT_EQ(all_tunnels_.taken(), 1U);
  gateway.send("HTTP/1.1 503 No\r\n\r\n");
  ASSERT_TRUE(until([&] { return refusals(ErrorKind::provider_no_exit) == 1; }));
  EXPECT_EQ(all_tunnels_.taken(), 0U);
  tunnel("b.test:443");
}

TEST_F(AllTunnels, HaveThePlaceOfAClientThatLeftOrWasFenced) {
  serve_at_most(1);
  ask("a.test:443").reset();
  ASSERT_TRUE(until([&] { return all_tunnels_.taken() == 0 && port_->idle(); }));
  auto& fenced = ask("b.test:443");
  asked();
  EXPECT_EQ(all_tunnels_.taken(), 1U);
  fence();
  ASSERT_TRUE(ended(fenced));
  EXPECT_EQ(all_tunnels_.taken(), 0U);
}

TEST(TunnelTally, IsNeverPassedByThreadsThatAskAtTheSameTime) {
  constexpr std::uint32_t most = 3;
  constexpr int threads = 4;
  TunnelTally tally;
  std::atomic<std::uint32_t> held{0};
  std::atomic<std::uint32_t> highest{0};
  std::latch together(threads);
  std::vector<std::jthread> shards;
  for (int i = 0; i < threads; ++i) {
    shards.emplace_back([&] {
      together.arrive_and_wait();
      for (int turn = 0; turn < 20'000; ++turn) {
        if (!tally.take(most)) continue;
        const auto now = held.fetch_add(1) + 1;
        for (auto seen = highest.load(); now > seen && !highest.compare_exchange_weak(seen, now);) {
        }
        held.fetch_sub(1);
        tally.give_back();
      }
    });
  }
  shards.clear();
  EXPECT_GE(highest.load(), 1U);
  EXPECT_LE(highest.load(), most);
  EXPECT_EQ(tally.taken(), 0U);
}

class Refusals : public PortTest {};

// Baileys would wait for ever behind a status; whoever names its User-Agent reads it.
TEST_F(Refusals, OfAConnectWhoseFramingIsAtFaultAreResetsWithoutAUserAgent) {
  start();
  const std::string line = "CONNECT a.test:443 HTTP/1.1\r\n";
  for (const std::string fault : {"Host: a\r\nHost: b\r\n", "Content-Length: 5\r\n", "X: \x01\r\n"}) {
    auto& node = connect().send(line + fault + "\r\n");
    auto& author = connect().send(line + "user-agent: x\r\n" + fault + "\r\n");
    ASSERT_TRUE(ended(node)) << fault;
    EXPECT_EQ(node.received(), "");
    EXPECT_EQ(node.error(), ECONNRESET) << fault;
    ASSERT_TRUE(ended(author)) << fault;
    EXPECT_TRUE(author.received().starts_with("HTTP/1.1 400 ")) << author.received();
    port_->pacer().success();
  }
  auto& huge = connect().send(line + "X: " + std::string(20'000, 'x'));
  ASSERT_TRUE(ended(huge));
  EXPECT_EQ(huge.received(), "");
  auto& other = connect().send("CONNECT a.test:443 HTTP/2.0\r\n\r\n");
  ASSERT_TRUE(ended(other));
  EXPECT_TRUE(other.received().starts_with("HTTP/1.1 400 ")) << "that is no request";
}

TEST_F(Refusals, OfStrangersMakeTheChipsOwnClientsWaitNoLonger) {
  ProxyOptions options;
  options.listen.credentials = ClientCredentials{"me", Secret("mine")};
  start(options);
  ASSERT_TRUE(ended(ask()));
  EXPECT_EQ(refusals(ErrorKind::client_auth_required), 1U);
  const auto now = Clock::now();
  EXPECT_EQ(port_->pacer().due(now, now), now + 1s);
}

TEST_F(Refusals, OfStrangersWhoseHeadsAreWrongMakeThemWaitNoLongerEither) {
  ProxyOptions options;
  options.listen.allow_clients = {*Network::parse("10.0.0.0/8")};
  start(options);
  ASSERT_TRUE(ended(ask("a.test:443", "Host: b.test\r\n")));
  EXPECT_EQ(refusals(ErrorKind::malformed_request), 1U);
  const auto now = Clock::now();
  EXPECT_EQ(port_->pacer().due(now, now), now + 1s);
}

}  // namespace
}  // namespace chipgate::proxy
