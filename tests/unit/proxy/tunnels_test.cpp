// What can be asked of a chip's tunnels: who they are, how the chip is used, and whether two numbers share it.
#include "unit/proxy/port_test.hpp"

#include <algorithm>
#include <set>

namespace chipgate::proxy {
namespace {

class Tunnels : public PortTest {
 protected:
  // Old at once, or never.
  void serve_crowd(Milliseconds age, std::uint32_t most = 0) {
    ProxyOptions options;
    options.crowd_age = age;
    options.limits.max_whatsapp_sessions = most;
    start(options);
    port_->open(route());
  }
};

TEST_F(Tunnels, AreSeenWithWhatTheyCarry) {
  serve();
  const auto joined = tunnel("web.whatsapp.com:443");
  joined.client->send("hello");
  ASSERT_TRUE(until([&] { return joined.gateway->received() == "hello"; }));
  joined.gateway->send("hi");
  ASSERT_TRUE(until([&] { return joined.client->received() == "hi"; }));
  const auto views = port_->tunnels();
  ASSERT_EQ(views.size(), 1U);
  const auto& view = views.front();
  EXPECT_EQ(view.chip, chip);
  EXPECT_EQ(view.chip_id, "a");
  EXPECT_EQ(view.target, "web.whatsapp.com:443");
  EXPECT_EQ(view.session, SessionIdentifier("chip-a-1"));
  EXPECT_EQ(view.bytes_up, 5U);
  EXPECT_EQ(view.bytes_down, 2U);
  EXPECT_LE(view.opened_at, std::chrono::system_clock::now());
  EXPECT_GT(view.opened_at, std::chrono::system_clock::now() - 1min);
}

TEST_F(Tunnels, AreIdleSinceTheirLastByte) {
  serve();
  const auto joined = tunnel();
  const auto before = Clock::now();
  ASSERT_TRUE(until([&] { return port_->tunnels().front().idle >= 20ms; }));
  joined.client->send("x");
  ASSERT_TRUE(until([&] { return joined.gateway->received() == "x"; }));
  EXPECT_LT(port_->tunnels().front().idle, Clock::now() - before);
}

TEST_F(Tunnels, HaveNumbersOfTheirOwnThatNameTheirShard) {
  serve();
  std::set<std::uint64_t> numbers;
  for (int i = 0; i < 3; ++i) tunnel();
  for (const auto& view : port_->tunnels()) {
    EXPECT_EQ(TunnelIds::shard_of(view.id), 3U);
    numbers.insert(view.id.value());
  }
  EXPECT_EQ(numbers.size(), 3U);
}

TEST_F(Tunnels, OneCanBeCut) {
  serve();
  const auto first = tunnel("a.test:443");
  const auto second = tunnel("b.test:443");
  const auto views = port_->tunnels();
  const auto wanted = std::ranges::find(views, "b.test:443", &lifecycle::TunnelView::target);
  EXPECT_TRUE(port_->cut(wanted->id));
  ASSERT_TRUE(ended(*second.client));
  EXPECT_EQ(second.client->error(), ECONNRESET);
  ASSERT_TRUE(ended(*second.gateway));
  EXPECT_EQ(chip_counters_->tunnels_closed.value(ErrorKind::cut_by_operator), 1U);
  EXPECT_FALSE(port_->cut(wanted->id)) << "it is gone";
  quiesce();
  EXPECT_FALSE(first.client->ended());
}

TEST_F(Tunnels, TheLastUseIsTheLastByteOrTheLastEnd) {
  serve();
  EXPECT_EQ(chip_counters_->last_used(), TimePoint{});
  const auto joined = tunnel();
  EXPECT_EQ(chip_counters_->last_used(), TimePoint{}) << "nothing was carried";
  const auto before = Clock::now();
  joined.client->send("x");
  ASSERT_TRUE(until([&] { return joined.gateway->received() == "x"; }));
  const auto carried = chip_counters_->last_used();
  EXPECT_GE(carried, before);
  EXPECT_LE(carried, Clock::now());
  joined.client->reset();
  ASSERT_TRUE(until([&] { return chip_counters_->tunnels_open.value() == 0; }));
  EXPECT_GT(chip_counters_->last_used(), carried);
}

TEST_F(Tunnels, APlainRequestIsUseAsLongAsItIsOnItsWay) {
  serve();
  auto& client = get();
  auto& gateway = asked();
  EXPECT_EQ(chip_counters_->requests_open.value(), 1);
  gateway.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  ASSERT_TRUE(until([&] { return client.received().ends_with("hi"); }));
  ASSERT_TRUE(until([&] { return chip_counters_->requests_open.value() == 0; }));
  EXPECT_GT(chip_counters_->last_used(), TimePoint{});
  EXPECT_EQ(chip_counters_->tunnels_open.value(), 0);
}

TEST_F(Tunnels, AreACrowdWhenTwoOldOnesLeadToWhatsApp) {
  serve_crowd(0ms);
  tunnel("web.whatsapp.com:443");
  EXPECT_EQ(port_->whatsapp_sessions(), 1U);
  tunnel("media.whatsapp.net:443");
  tunnel("web.whatsapp.com:80");
  EXPECT_EQ(port_->whatsapp_sessions(), 1U);
  tunnel("web.whatsapp.com:443");
  EXPECT_EQ(port_->whatsapp_sessions(), 2U);
}

TEST_F(Tunnels, OfAReconnectAreNoCrowd) {
  serve_crowd(1h);
  tunnel();
  tunnel();
  EXPECT_EQ(port_->whatsapp_sessions(), 0U);
}

TEST_F(Tunnels, TheSecondWhatsAppSessionIsRefusedWhereOneIsTheLimit) {
  serve_crowd(0ms, 1);
  const auto first = tunnel();
  auto& second = ask("web.whatsapp.com:443", "User-Agent: curl\r\n");
  ASSERT_TRUE(ended(second));
  EXPECT_TRUE(second.received().starts_with("HTTP/1.1 429")) << second.received();
  EXPECT_EQ(refusals(ErrorKind::too_many_whatsapp_sessions), 1U);
  tunnel("media.whatsapp.net:443");
  first.client->close();
  first.gateway->close();
  ASSERT_TRUE(until([&] { return port_->whatsapp_sessions() == 0; }));
  tunnel();
}

TEST_F(Tunnels, AChipsOwnLimitStandsForTheUsualOne) {
  serve_crowd(0ms, 1);
  port_->limit_whatsapp(2);
  tunnel();
  tunnel();
  auto& third = ask("web.whatsapp.com:443", "User-Agent: curl\r\n");
  ASSERT_TRUE(ended(third));
  EXPECT_EQ(refusals(ErrorKind::too_many_whatsapp_sessions), 1U);
  port_->limit_whatsapp(0);
  tunnel();
  EXPECT_EQ(port_->whatsapp_sessions(), 3U);
  port_->limit_whatsapp(std::nullopt);
  auto& fourth = ask("web.whatsapp.com:443", "User-Agent: curl\r\n");
  ASSERT_TRUE(ended(fourth));
  EXPECT_EQ(refusals(ErrorKind::too_many_whatsapp_sessions), 2U);
}

TEST_F(Tunnels, AReconnectIsNotRefusedWhileTheOldOneIsStillThere) {
  serve_crowd(1h, 1);
  tunnel();
  tunnel();
  EXPECT_EQ(chip_counters_->tunnels_open.value(), 2);
}

}  // namespace
}  // namespace chipgate::proxy
