// Which failures at the gateway are told, and how often.
#include "unit/proxy/port_test.hpp"

namespace chipgate::proxy {
namespace {

using GatewayNewsOfAPort = PortTest;

constexpr TimePoint some_time{1'000s};

TEST(GatewayNews, IsToldOnceASecond) {
  GatewayNews news;
  EXPECT_TRUE(news.tells(ErrorKind::gateway_closed, some_time));
  EXPECT_FALSE(news.tells(ErrorKind::gateway_closed, some_time + 1ms));
  EXPECT_FALSE(news.tells(ErrorKind::provider_session_lost, some_time + 999ms));
  EXPECT_TRUE(news.tells(ErrorKind::provider_session_lost, some_time + 1s));
}

TEST(GatewayNews, WhatConcernsTheAccountIsToldBesideTheRest) {
  GatewayNews news;
  EXPECT_TRUE(news.tells(ErrorKind::provider_no_exit, some_time));
  for (const auto kind : {ErrorKind::provider_auth, ErrorKind::provider_payment, ErrorKind::provider_rate_limited}) {
    EXPECT_TRUE(news.tells(kind, some_time)) << info(kind).name;
    EXPECT_FALSE(news.tells(kind, some_time + 999ms)) << info(kind).name;
    EXPECT_TRUE(news.tells(kind, some_time + 1s)) << info(kind).name;
  }
  EXPECT_FALSE(news.tells(ErrorKind::provider_no_exit, some_time + 1'500ms)) << "the account's news were told";
}

TEST(GatewayNews, WhatSaysNothingOfExitAndAccountIsNoNews) {
  GatewayNews news;
  for (const auto kind : {ErrorKind::provider_denied_target, ErrorKind::target_unreachable, ErrorKind::client_gone,
                          ErrorKind::fenced, ErrorKind::out_of_descriptors, ErrorKind::upstream_reset}) {
    EXPECT_FALSE(news.tells(kind, some_time)) << info(kind).name;
  }
  EXPECT_TRUE(news.tells(ErrorKind::first_reply_timeout, some_time));
  EXPECT_TRUE(news.tells(ErrorKind::provider_refused, some_time + 1s)) << "all that SOCKS5 says of a lost session";
}

TEST_F(GatewayNewsOfAPort, AFailedDialIsTold) {
  serve();
  ask();
  asked().send("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  ASSERT_TRUE(until([&] { return !news_.empty(); }));
  ask();
  asked().send("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  ask();
  asked().send("HTTP/1.1 407 No\r\n\r\n");
  ASSERT_TRUE(until([&] { return refusals(ErrorKind::provider_auth) == 1; }));
  EXPECT_EQ(refusals(ErrorKind::provider_session_lost), 2U);
  EXPECT_EQ(news_, (std::vector{ErrorKind::provider_session_lost, ErrorKind::provider_auth}));
}

TEST_F(GatewayNewsOfAPort, AnotherAssignmentsNewsAreToldAtOnce) {
  serve();
  ask();
  asked().send("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  ASSERT_TRUE(until([&] { return news_.size() == 1; }));
  fence();
  port_->open(route(2));
  ask();
  asked().send("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  ASSERT_TRUE(until([&] { return news_.size() == 2; }));
}

TEST_F(GatewayNewsOfAPort, AFailureUnderAFencedRouteIsNoNews) {
  serve();
  auto& client = ask();
  auto& gateway = asked();
  fence();
  gateway.close();
  ASSERT_TRUE(ended(client));
  EXPECT_TRUE(news_.empty());
}

TEST_F(GatewayNewsOfAPort, ATunnelThatNeverGetsAByteBackIsTold) {
  start({}, gateway::EndpointKind::http, {.first_reply = 50ms});
  port_->open(route());
  const auto joined = tunnel();
  joined.client->send("hello?");
  ASSERT_TRUE(ended(*joined.client));
  EXPECT_EQ(news_, std::vector{ErrorKind::first_reply_timeout});
}

TEST_F(GatewayNewsOfAPort, APlainRequestTellsWhatTheGatewayItselfRefused) {
  serve();
  get();
  asked().send("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(until([&] { return !news_.empty(); }));
  EXPECT_EQ(news_, std::vector{ErrorKind::provider_auth});
  auto& client = get();
  asked().send("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(until([&] { return client.received().ends_with("\r\n\r\n"); })) << "it may be the origin's";
  EXPECT_EQ(news_.size(), 1U);
}

TEST_F(GatewayNewsOfAPort, APlainRequestThatReachesNoGatewayIsTold) {
  serve();
  gateway_ = {};
  get();
  ASSERT_TRUE(until([&] { return !news_.empty(); }));
  EXPECT_EQ(news_, std::vector{ErrorKind::gateway_refused});
}

}  // namespace
}  // namespace chipgate::proxy
