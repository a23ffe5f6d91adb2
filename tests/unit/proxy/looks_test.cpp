// Looks at a chip's exit through its port.
#include "unit/proxy/port_test.hpp"

namespace chipgate::proxy {
namespace {

using Looks = PortTest;

const std::string page = "HTTP/1.0 200 OK\r\n\r\n203.0.113.7\n";

TEST_F(Looks, NeedNoOpenRoute) {
  start();
  const auto looked = look(route());
  auto& gateway = asked();
  EXPECT_TRUE(gateway.received().starts_with("GET http://echo.test:80/ip HTTP/1.0\r\n")) << gateway.received();
  gateway.send(page);
  gateway.finish();
  ASSERT_TRUE(until([&] { return looked->has_value(); }));
  EXPECT_EQ((*looked)->address.value(), *IpAddress::parse("203.0.113.7"));
  EXPECT_EQ((*looked)->bytes_up, gateway.received().size());
  EXPECT_EQ((*looked)->bytes_down, page.size());
  EXPECT_EQ(counters_.looks_ok.value(), 1U);
  EXPECT_EQ(counters_.looks_failed.value(), 0U);
}

TEST_F(Looks, AreNoTunnelsAndTakeNoPlaceOfOne) {
  ProxyOptions options;
  options.limits.tunnels_per_chip = 1;
  start(options);
  port_->open(route());
  tunnel();
  const auto looked = look(route());
  auto& gateway = asked();
  EXPECT_EQ(chip_counters_->tunnels_open.value(), 1);
  EXPECT_EQ(port_->tunnels().size(), 1U);
  gateway.send(page);
  gateway.finish();
  ASSERT_TRUE(until([&] { return looked->has_value(); }));
  EXPECT_TRUE((*looked)->address.has_value());
  EXPECT_EQ(chip_counters_->bytes_up.value() + chip_counters_->bytes_down.value(), 0U) << "no client's bytes";
  EXPECT_EQ(counters_.stage(telemetry::Stage::connect).snapshot().count(), 1U) << "no client's time";
}

TEST_F(Looks, OfAnOlderEpochEndAtOnce) {
  start();
  fence(3);
  const auto looked = look(route(2));
  ASSERT_TRUE(looked->has_value());
  EXPECT_EQ((*looked)->address.error(), ErrorKind::fenced);
  EXPECT_EQ(counters_.dials.value(), 0U);
  EXPECT_EQ(counters_.looks_failed.value(), 1U);
}

TEST_F(Looks, GiveUpInTime) {
  start();
  const auto looked = look(route(), 50ms);
  auto& gateway = asked();
  ASSERT_TRUE(until([&] { return looked->has_value(); }));
  EXPECT_EQ((*looked)->address.error(), ErrorKind::gateway_silent);
  EXPECT_EQ((*looked)->bytes_up, gateway.received().size());
  ASSERT_TRUE(ended(gateway));
  EXPECT_EQ(counters_.looks_failed.value(), 1U);
}

TEST_F(Looks, DoNotBeginOnAPortThatEnds) {
  start();
  port_->drain(ErrorKind::draining);
  const auto looked = look(route(9));
  ASSERT_TRUE(looked->has_value());
  EXPECT_EQ((*looked)->address.error(), ErrorKind::fenced);
}

}  // namespace
}  // namespace chipgate::proxy
