// CONNECT to an HTTP gateway: what is written, and every way in which it may answer.
#include "unit/gateway/dialer_test.hpp"
#include "unit/support/tls.hpp"

namespace chipgate::gateway {
namespace {

using HttpDialer = DialerTest;

const std::string connect_head =
    "CONNECT web.whatsapp.com:443 HTTP/1.1\r\nHost: web.whatsapp.com:443\r\n"
    "Proxy-Authorization: Basic dXNlci1zZXNzaW9uLXg6cGFzcw==\r\n\r\n";
const std::string yes = "HTTP/1.1 200 Connection established\r\nVia: 1.1 gateway\r\n\r\n";

TEST_F(HttpDialer, WritesTheConnectAndNothingElse) {
  use(EndpointKind::http);
  auto& attempt = dial();
  auto& gateway = asked();
  quiesce();
  EXPECT_EQ(gateway.received(), connect_head);
  gateway.send(yes);
  ASSERT_TRUE(over(attempt));
  ASSERT_TRUE(attempt.result->has_value());
  EXPECT_EQ(attempt.result->value().early, "");
  EXPECT_EQ(counters_.dials.value(), 1U);
}

TEST_F(HttpDialer, UnderstandsAnAnswerSplitAtEveryByte) {
  use(EndpointKind::http);
  for (std::size_t split = 1; split < yes.size(); ++split) {
    auto& attempt = dial();
    auto& gateway = asked();
    gateway.send(yes.substr(0, split));
    digest(gateway);
    ASSERT_FALSE(attempt.over()) << split;
    gateway.send(yes.substr(split) + "early");
    ASSERT_TRUE(over(attempt)) << split;
    ASSERT_TRUE(attempt.result->has_value()) << split;
    EXPECT_EQ(attempt.result->value().early + read_on(attempt), "early") << split;
    attempt.result.reset();
  }
}

TEST_F(HttpDialer, BytesBehindTheAnswerAreTheTunnels) {
  use(EndpointKind::http);
  for (std::size_t split = 1; split < 6; ++split) {
    auto& attempt = dial();
    auto& gateway = asked();
    gateway.send(yes + std::string("banner").substr(0, split));
    ASSERT_TRUE(over(attempt));
    gateway.send(std::string("banner").substr(split));
    std::string all = attempt.result->value().early;
    ASSERT_TRUE(until([&] { return (all += read_on(attempt)) == "banner"; })) << all;
    attempt.result.reset();
  }
}

TEST_F(HttpDialer, AContentLengthInATwoHundredIsNoBody) {
  use(EndpointKind::http);
  auto& attempt = dial();
  asked().send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhi");
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.result->value().early, "hi");
}

TEST_F(HttpDialer, InterimAnswersArePassedOver) {
  use(EndpointKind::http);
  auto& attempt = dial();
  asked().send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: y\r\n\r\n" + yes + "early");
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.result->value().early, "early");
}

TEST_F(HttpDialer, InterimAnswersWithoutEndAreNoAnswer) {
  use(EndpointKind::http);
  auto& attempt = dial();
  auto& gateway = asked();
  for (int i = 0; i < 50; ++i) gateway.send("HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::gateway_garbled);
}

// What follows a switch is another protocol, even where it looks like a 200.
TEST_F(HttpDialer, ASwitchThatNobodyAskedForIsNoAnswer) {
  use(EndpointKind::http);
  auto& attempt = dial();
  asked().send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + yes);
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::gateway_garbled);
}

TEST_F(HttpDialer, EachStatusHasItsMeaning) {
  use(EndpointKind::http);
  const std::map<int, ErrorKind> meanings{
      {402, ErrorKind::provider_payment},      {403, ErrorKind::provider_denied_target},
      {407, ErrorKind::provider_auth},         {410, ErrorKind::provider_session_lost},
      {429, ErrorKind::provider_rate_limited}, {500, ErrorKind::provider_refused},
      {502, ErrorKind::provider_session_lost}, {503, ErrorKind::provider_no_exit},
      {504, ErrorKind::provider_exit_timeout}, {522, ErrorKind::provider_exit_timeout},
      {301, ErrorKind::provider_refused},
  };
  for (const auto& [status, meaning] : meanings) {
    auto& attempt = dial();
    asked().send("HTTP/1.1 " + std::to_string(status) + " No\r\nX-Error-Description: why\r\n\r\n");
    ASSERT_TRUE(over(attempt)) << status;
    EXPECT_EQ(attempt.error(), meaning) << status;
    EXPECT_NE(attempt.result->error().detail.find("why"), std::string::npos);
  }
  EXPECT_TRUE(news_.empty()) << "the provider's refusals say nothing against the endpoint";
}

TEST_F(HttpDialer, TheExitAddressIsTakenFromTheAnswer) {
  use(EndpointKind::http);
  auto& attempt = dial();
  asked().send("HTTP/1.1 200 OK\r\nX-Exit-IP: 203.0.113.7\r\n\r\n");
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.result->value().exit_address, IpAddress::parse("203.0.113.7"));
}

TEST_F(HttpDialer, AFinBeforeOrWithinTheAnswerIsAClose) {
  use(EndpointKind::http);
  for (const std::string said : {"", "HTTP/1.1 200 O", "HTTP/1.1 100 Continue\r\n\r\n"}) {
    auto& attempt = dial();
    auto& gateway = asked();
    gateway.send(said);
    gateway.close();
    ASSERT_TRUE(over(attempt));
    EXPECT_EQ(attempt.error(), ErrorKind::gateway_closed) << said;
  }
}

TEST_F(HttpDialer, AResetBeforeTheAnswerIsACloseWithItsReason) {
  use(EndpointKind::http);
  auto& attempt = dial();
  asked().reset();
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::gateway_closed);
  EXPECT_FALSE(attempt.result->error().detail.empty());
}

TEST_F(HttpDialer, SilenceLastsUntilTheDeadline) {
  use(EndpointKind::http);
  const auto begun = Clock::now();
  auto& attempt = dial(80ms);
  auto& gateway = accept();
  gateway.send("HTTP/1.1 200 O");
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::gateway_silent);
  EXPECT_GE(Clock::now() - begun, 80ms);
  ASSERT_TRUE(until([&] { return gateway.ended(); }));
}

TEST_F(HttpDialer, WhatIsNoAnswerIsGarbled) {
  use(EndpointKind::http);
  for (const std::string said : {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 OK\r\n\r\n", "\0\0\0\0\r\n\r\n"}) {
    auto& attempt = dial();
    asked().send(said + "\r\n\r\n");
    ASSERT_TRUE(over(attempt));
    EXPECT_EQ(attempt.error(), ErrorKind::gateway_garbled) << said;
  }
  auto& attempt = dial();
  asked().send("HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n");
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::gateway_head_too_large);
}

TEST_F(HttpDialer, CallingOffClosesTheConnectionAtOnce) {
  use(EndpointKind::http);
  auto& attempt = dial();
  auto& gateway = asked();
  attempt.waiter.call_off(ErrorKind::fenced);
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::fenced);
  ASSERT_TRUE(until([&] { return gateway.ended(); }));
}

TEST_F(HttpDialer, AClientThatLeavesEndsItsDial) {
  use(EndpointKind::http);
  auto pair = test::tcp_pair();
  const auto client = shard().set().add(std::move(pair.ours));
  auto& client_peer = peer(std::move(pair.theirs));
  auto& attempt = dial();
  attempt.waiter.guard(client.get());
  auto& gateway = asked();
  client_peer.reset();
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::client_gone);
  ASSERT_TRUE(until([&] { return gateway.ended(); }));
  EXPECT_TRUE(news_.empty());
}

TEST_F(HttpDialer, ATlsGatewayIsVerifiedBeforeItHearsAnything) {
  const test::TlsAuthority authority;
  const test::TlsGateway wrong_name(authority, {"elsewhere.test"});
  const test::TlsGateway good(authority);
  use(EndpointKind::https, {authority.file(), {}});
  auto& refused = dial();
  auto& impostor = accept();
  impostor.serve_tls(wrong_name.accept(impostor.fd()));
  ASSERT_TRUE(over(refused));
  EXPECT_EQ(refused.error(), ErrorKind::gateway_certificate);
  EXPECT_EQ(impostor.received(), "");

  auto& attempt = dial();
  auto& gateway = accept();
  gateway.serve_tls(good.accept(gateway.fd()));
  ASSERT_TRUE(until([&] { return gateway.received() == connect_head; }));
  gateway.send(yes + "early");
  ASSERT_TRUE(over(attempt));
  ASSERT_TRUE(attempt.result->has_value());
  EXPECT_EQ(attempt.result->value().early + read_on(attempt), "early");
}

TEST_F(HttpDialer, ExpiredAndUntrustedCertificatesAreTheCertificatesFault) {
  const test::TlsAuthority authority;
  const test::TlsGateway expired(authority, {"gateway.test"}, sim::Validity::expired);
  const test::TlsGateway stranger(authority, {"gateway.test"}, sim::Validity::good, sim::Signer::itself);
  use(EndpointKind::https, {authority.file(), {}});
  for (const auto* bad : {&expired, &stranger}) {
    auto& attempt = dial();
    auto& gateway = accept();
    gateway.serve_tls(bad->accept(gateway.fd()));
    ASSERT_TRUE(over(attempt));
    EXPECT_EQ(attempt.error(), ErrorKind::gateway_certificate);
  }
}

TEST_F(HttpDialer, ATlsHandshakeThatStallsOrEndsIsATlsFailure) {
  const test::TlsAuthority authority;
  use(EndpointKind::https, {authority.file(), {}});
  auto& stalled = dial(500ms);
  accept();
  ASSERT_TRUE(over(stalled));
  EXPECT_EQ(stalled.error(), ErrorKind::gateway_tls_failed);
  auto& ended = dial();
  accept().close();
  ASSERT_TRUE(over(ended));
  EXPECT_EQ(ended.error(), ErrorKind::gateway_tls_failed);
  auto& plain = dial();
  accept().send("HTTP/1.1 400 Bad Request\r\n\r\n");
  ASSERT_TRUE(over(plain));
  EXPECT_EQ(plain.error(), ErrorKind::gateway_tls_failed);
}

}  // namespace
}  // namespace chipgate::gateway
