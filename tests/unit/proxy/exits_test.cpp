// What a gateway's reply says about the exit, and that nobody leaves by another one.
#include "unit/proxy/port_test.hpp"

namespace chipgate::proxy {
namespace {

using namespace std::string_literals;

using Exits = PortTest;

const std::string own = "203.0.113.7";
const std::string other = "203.0.113.8";

std::string named(const std::string& address) { return "X-Exit-IP: " + address + "\r\n"; }

TEST_F(Exits, AReplyThatNamesAnotherExitLetsNothingThrough) {
  serve({own});
  auto& client = ask();
  client.send("early");
  auto& gateway = dialed();
  ASSERT_TRUE(until([&] { return gateway.received().find("\r\n\r\n") != std::string::npos; }));
  gateway.send("HTTP/1.1 200 OK\r\n" + named(other) + "\r\nbanner");
  ASSERT_TRUE(ended(gateway));
  EXPECT_TRUE(gateway.received().ends_with("\r\n\r\n")) << "the client's bytes went upstream";
  ASSERT_EQ(others_.size(), 1U);
  EXPECT_EQ(others_.front().epoch, Epoch(1));
  EXPECT_EQ(others_.front().seen, *IpAddress::parse(other));
  EXPECT_EQ(refusals(ErrorKind::fenced), 1U);
  ASSERT_TRUE(ended(client));
  EXPECT_EQ(client.received(), "");
  EXPECT_EQ(client.error(), ECONNRESET);
  EXPECT_EQ(chip_counters_->tunnels_opened.value(), 0U);
}

TEST_F(Exits, AClientThatIsRefusedForAnotherExitHoldsNothingUpstream) {
  serve({own});
  auto& client = ask("web.whatsapp.com:443", "User-Agent: curl\r\n");
  auto& gateway = asked();
  gateway.send("HTTP/1.1 200 OK\r\n" + named(other) + "\r\n");
  ASSERT_TRUE(until([&] { return client.received().find("fenced") != std::string::npos; }));
  gateway.pump();
  EXPECT_TRUE(gateway.ended()) << "the refusal has been told, and the client still lingers";
}

TEST_F(Exits, TheChipsOwnExitIsToldOnceASecond) {
  serve({own});
  for (int i = 0; i < 3; ++i) tunnel("web.whatsapp.com:443", named(own));
  ASSERT_EQ(same_.size(), 1U);
  EXPECT_EQ(same_.front().seen, *IpAddress::parse(own));
  EXPECT_TRUE(others_.empty());
}

TEST_F(Exits, AnAddressOfAFamilyThatWasNotLookedAtSaysNothing) {
  serve({own});
  tunnel("web.whatsapp.com:443", named("2001:db8::7"));
  port_->open(route(1));
  tunnel("web.whatsapp.com:443", named(other));
  EXPECT_TRUE(others_.empty());
  EXPECT_TRUE(same_.empty());
}

TEST_F(Exits, OneOfSeveralExitsOfAFamilyIsTheChipsOwn) {
  serve({own, "2001:db8::7", other});
  tunnel("web.whatsapp.com:443", named(other));
  EXPECT_EQ(same_.size(), 1U);
}

TEST_F(Exits, WhatBecameKnownWhileAClientWasDialingCounts) {
  serve();
  auto& client = ask();
  auto& gateway = asked();
  port_->open(route(1, {own}));
  gateway.send("HTTP/1.1 200 OK\r\n" + named(other) + "\r\n");
  ASSERT_TRUE(ended(gateway));
  EXPECT_EQ(others_.size(), 1U);
  ASSERT_TRUE(ended(client));
}

TEST_F(Exits, APlainAnswerThatNamesAnotherExitIsNotDeliveredButRefused) {
  serve({own});
  auto& client = get();
  auto& gateway = asked();
  gateway.send("HTTP/1.1 200 OK\r\n" + named(other) + "Content-Length: 2\r\n\r\nhi");
  ASSERT_TRUE(until([&] { return client.received().find("X-Chipgate-Error: fenced") != std::string::npos; }));
  EXPECT_TRUE(client.received().starts_with("HTTP/1.1 503 ")) << client.received();
  EXPECT_FALSE(client.received().ends_with("hi"));
  ASSERT_TRUE(ended(gateway));
  ASSERT_EQ(others_.size(), 1U);
  EXPECT_EQ(others_.front().seen, *IpAddress::parse(other));
}

TEST_F(Exits, APlainAnswerThatNamesTheChipsOwnIsDelivered) {
  serve({own});
  auto& client = get();
  asked().send("HTTP/1.1 200 OK\r\n" + named(own) + "Content-Length: 2\r\n\r\nhi");
  ASSERT_TRUE(until([&] { return client.received().ends_with("hi"); }));
  EXPECT_TRUE(others_.empty());
  EXPECT_TRUE(same_.empty()) << "an origin may have written it";
}

TEST_F(Exits, InATunnelThroughSocksAnOriginMayWriteWhatItLikes) {
  start({}, gateway::EndpointKind::socks5);
  port_->open(route(1, {own}));
  auto& client = get();
  auto& gateway = dialed();
  ASSERT_TRUE(until([&] { return gateway.received().size() == 3; }));
  gateway.send("\x05\x02"s);
  ASSERT_TRUE(until([&] { return gateway.received().ends_with("pass"); }));
  gateway.send("\x01\x00"s);
  ASSERT_TRUE(until([&] { return gateway.received().ends_with("plain.test\x00\x50"s); }));
  gateway.send("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"s);
  ASSERT_TRUE(until([&] { return gateway.received().ends_with("\r\n\r\n"); }));
  gateway.send("HTTP/1.1 200 OK\r\n" + named(other) + "Content-Length: 2\r\n\r\nhi");
  ASSERT_TRUE(until([&] { return client.received().ends_with("hi"); }));
  EXPECT_TRUE(others_.empty());
}

}  // namespace
}  // namespace chipgate::proxy
