// Chips that come and go while the plane runs, on real shards.
#include "unit/proxy/plane_test.hpp"

#include "chipgate/telemetry/exposition.hpp"

#include <algorithm>
#include <array>

namespace chipgate::proxy {
namespace {

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
  // A client has its answer before its tunnel is counted.
  ASSERT_TRUE(until([&] { return plane_.usage(ChipIndex(1)).tunnels_open == 2; }));

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

TEST_F(PlaneTest, AnIndexIsNeverUsedTwice) {
  listen(0);
  EXPECT_THROW(listen(0), std::logic_error);
}

}  // namespace
}  // namespace chipgate::proxy
