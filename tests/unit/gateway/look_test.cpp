// Looks: what an echo is asked, what its page says, and what it costs.
#include "chipgate/gateway/look.hpp"

#include "unit/gateway/dialer_test.hpp"

namespace chipgate::gateway {
namespace {

using namespace std::string_literals;

class LookTest : public DialerTest {
 protected:
  struct Looking {
    explicit Looking(net::Shard& shard) : waiter(shard) {}

    bool over() const { return seen.has_value(); }
    ErrorKind error() const { return seen->address.error().kind; }

    net::Waiter waiter;
    telemetry::StageWatch watch;
    RoutePtr route = make_route(SessionIdentifier("chip-a-1"), Epoch(1), EndpointIndex(0),
                                {Secret("user-session-x"), Secret("pass")}, IpLiterals::carried);
    std::optional<Seen> seen;
  };

  void TearDown() override {
    for (auto& looking : looks_) looking.waiter.call_off(ErrorKind::draining);
    quiesce();
    looks_.clear();
    DialerTest::TearDown();
  }

  Looking& look(Milliseconds budget = 10'000ms) {
    auto& looking = looks_.emplace_back(shard());
    shard().tasks().spawn(run(*dialer_, looking, Clock::now() + budget));
    return looking;
  }
  [[nodiscard]] bool over(const Looking& looking) {
    return until([&] { return looking.over(); });
  }
  // What the gateway answers before it closes.
  Looking& answered(const std::string& answer) {
    auto& looking = look();
    auto& gateway = asked();
    gateway.send(answer);
    gateway.finish();
    EXPECT_TRUE(over(looking)) << answer;
    return looking;
  }

  // A SOCKS5 gateway's connection, with the request of which the origin is asked in its tunnel.
  test::Peer& asked_through_socks() {
    auto& gateway = accept();
    const auto hears = [&](const std::string& words) {
      EXPECT_TRUE(until([&] { return gateway.received().ends_with(words); })) << words;
    };
    hears("\x05\x01\x02"s);
    gateway.send("\x05\x02"s);
    hears("pass");
    gateway.send("\x01\x00"s);
    hears("echo.test\x1f\x90"s);
    gateway.take_received();
    gateway.send("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"s);
    hears("\r\n\r\n");
    return gateway;
  }
  static void refuse(test::Peer& gateway, const std::string& status) {
    gateway.send("HTTP/1.1 " + status + " No\r\n\r\n");
    gateway.finish();
  }

  std::deque<Looking> looks_;

 private:
  static net::Task<void> run(Dialer& dialer, Looking& looking, TimePoint until) {
    const Dial dial{looking.waiter, *looking.route, looking.watch, until};
    auto echo = protocol::parse_absolute_url("http://echo.test:8080/ip?format=json").value();
    auto seen = co_await gateway::look(dialer, dial, std::move(echo));
    looking.seen.emplace(std::move(seen));
  }
};

const std::string request =
    "GET http://echo.test:8080/ip?format=json HTTP/1.0\r\nHost: echo.test:8080\r\n"
    "Proxy-Authorization: Basic dXNlci1zZXNzaW9uLXg6cGFzcw==\r\n"
    "User-Agent: chipgate\r\nAccept: text/plain, application/json\r\nConnection: close\r\n\r\n";
const std::string ok = "HTTP/1.1 200 OK\r\n\r\n";

TEST_F(LookTest, AsksByThePlainWayWithTheSessionsCredentials) {
  use(EndpointKind::http);
  auto& looking = look();
  auto& gateway = asked();
  EXPECT_EQ(gateway.received(), request);
  gateway.send(ok + "203.0.113.7\n");
  gateway.finish();
  ASSERT_TRUE(over(looking));
  EXPECT_EQ(looking.seen->address.value(), *IpAddress::parse("203.0.113.7"));
}

TEST_F(LookTest, CountsItsRequestAndThePageWithTheirHeads) {
  use(EndpointKind::http);
  const auto page = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"ip\":\"203.0.113.7\"}"s;
  auto& looking = answered(page);
  EXPECT_EQ(looking.seen->address.value(), *IpAddress::parse("203.0.113.7"));
  EXPECT_EQ(looking.seen->bytes_up, request.size());
  EXPECT_EQ(looking.seen->bytes_down, page.size());
}

TEST_F(LookTest, UnderstandsAPageSplitAtEveryByte) {
  use(EndpointKind::http);
  const auto page = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n203.0.113.7"s;
  for (std::size_t split = 1; split < page.size(); ++split) {
    auto& looking = look();
    auto& gateway = asked();
    gateway.send(page.substr(0, split));
    digest(gateway);
    ASSERT_FALSE(looking.over()) << split;
    gateway.send(page.substr(split));
    ASSERT_TRUE(over(looking)) << split;
    ASSERT_TRUE(looking.seen->address.has_value()) << split;
    EXPECT_EQ(looking.seen->bytes_down, page.size()) << split;
  }
}

TEST_F(LookTest, APageWithoutAnAddressIsNoAnswer) {
  use(EndpointKind::http);
  for (const auto& body : {"<html>captcha</html>"s, ""s, std::string(5'000, '1')}) {
    EXPECT_EQ(answered(ok + body).error(), ErrorKind::gateway_garbled) << body.size();
  }
}

TEST_F(LookTest, APageWithoutEndIsReadOnlySoFar) {
  use(EndpointKind::http);
  auto& looking = look();
  auto& gateway = asked();
  gateway.send(ok + std::string(5'000, 'x'));
  ASSERT_TRUE(over(looking)) << "nobody ended the page";
  EXPECT_EQ(looking.error(), ErrorKind::gateway_garbled);
}

// An address and then blanks without end is trimmed to an address; but nobody knows what would have followed.
TEST_F(LookTest, APageWithoutEndNamesNoAddressHoweverItBegins) {
  use(EndpointKind::http);
  for (const auto& beginning : {"203.0.113.7"s, "{\"ip\":\"203.0.113.7\"}"s}) {
    auto& looking = look();
    auto& gateway = asked();
    gateway.send(ok + beginning + std::string(5'000, '\n'));
    ASSERT_TRUE(over(looking)) << "nobody ended the page";
    EXPECT_EQ(looking.error(), ErrorKind::gateway_garbled) << beginning;
  }
}

TEST_F(LookTest, AStatusIsTheGatewaysWhereAConnectIsRefusedToo) {
  use(EndpointKind::http);
  EXPECT_EQ(answered("HTTP/1.1 407 No\r\n\r\n").error(), ErrorKind::provider_auth) << "no origin says so";
  for (const auto& [status, meaning] :
       {std::pair{"429", ErrorKind::provider_rate_limited}, std::pair{"502", ErrorKind::provider_session_lost}}) {
    auto& looking = look();
    refuse(asked(), status);
    auto& connect = asked();
    EXPECT_TRUE(connect.received().starts_with("CONNECT echo.test:8080 HTTP/1.1\r\n")) << connect.received();
    refuse(connect, status);
    ASSERT_TRUE(over(looking));
    EXPECT_EQ(looking.error(), meaning);
  }
}

// What the echo says of itself ends nobody's assignment and opens no breaker.
TEST_F(LookTest, AStatusIsTheEchosWhereATunnelToItOpens) {
  use(EndpointKind::http);
  for (const auto* status : {"429", "502", "503"}) {
    auto& looking = look();
    refuse(asked(), status);
    asked().send(ok);
    ASSERT_TRUE(over(looking));
    EXPECT_EQ(looking.error(), ErrorKind::gateway_garbled) << status;
  }
}

TEST_F(LookTest, InATunnelThroughSocksAStatusIsTheEchos) {
  use(EndpointKind::socks5);
  auto& looking = look();
  refuse(asked_through_socks(), "502");
  ASSERT_TRUE(over(looking));
  EXPECT_EQ(looking.error(), ErrorKind::gateway_garbled);
}

// Before the first assignment looks are all that is dialed: if they did not find the address that serves, nobody would.
TEST_F(LookTest, AnAddressThatIsMuteGivesWay) {
  listen("127.0.0.1");
  listen("127.0.0.2");
  dialer(EndpointKind::http);
  resolve({"127.0.0.1", "127.0.0.2"});
  auto& first = look(50ms);
  accept("127.0.0.1");
  ASSERT_TRUE(over(first));
  EXPECT_EQ(first.error(), ErrorKind::gateway_silent);
  auto& second = look();
  auto& gateway = accept("127.0.0.2");
  gateway.send(ok + "203.0.113.7\n");
  gateway.finish();
  ASSERT_TRUE(over(second));
  EXPECT_TRUE(second.seen->address.has_value());
}

TEST_F(LookTest, AStatusCountsHoweverLongItsPageIs) {
  use(EndpointKind::http);
  const std::string page(64 * 1024, 'x');
  EXPECT_EQ(answered("HTTP/1.1 407 No\r\n\r\n" + page).error(), ErrorKind::provider_auth);
  EXPECT_EQ(answered("HTTP/1.1 407 No\r\nContent-Length: 65536\r\n\r\n" + page).error(), ErrorKind::provider_auth);
}

TEST_F(LookTest, WhatItCostStaysKnownHoweverItEnds) {
  use(EndpointKind::http);
  auto& cut = answered("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n203.");
  EXPECT_TRUE(cut.seen->address.has_error());
  EXPECT_EQ(cut.seen->bytes_up, request.size());
  EXPECT_EQ(cut.seen->bytes_down, 44U);
  auto& refused = answered("HTTP/1.1 407 No\r\n\r\n");
  EXPECT_EQ(refused.seen->bytes_down, 19U);
}

TEST_F(LookTest, SilenceLastsUntilItsTimeIsUp) {
  use(EndpointKind::http);
  auto& looking = look(50ms);
  auto& gateway = asked();
  ASSERT_TRUE(over(looking));
  EXPECT_EQ(looking.error(), ErrorKind::gateway_silent);
  ASSERT_TRUE(until([&] { return gateway.ended(); }));
}

TEST_F(LookTest, AGatewayThatCannotBeReachedCostsNothing) {
  dialer();
  resolve();
  auto& looking = look();
  ASSERT_TRUE(over(looking));
  EXPECT_EQ(looking.error(), ErrorKind::gateway_refused);
  EXPECT_EQ(looking.seen->bytes_up, 0U);
}

TEST_F(LookTest, CanBeCalledOff) {
  use(EndpointKind::http);
  auto& looking = look();
  auto& gateway = asked();
  looking.waiter.call_off(ErrorKind::fenced);
  ASSERT_TRUE(over(looking));
  EXPECT_EQ(looking.error(), ErrorKind::fenced);
  ASSERT_TRUE(until([&] { return gateway.ended(); }));
}

TEST_F(LookTest, ThroughSocksTheOriginIsAskedInsideATunnel) {
  use(EndpointKind::socks5);
  auto& looking = look();
  auto& gateway = asked_through_socks();
  EXPECT_TRUE(gateway.received().starts_with("GET /ip?format=json HTTP/1.0\r\nHost: echo.test:8080\r\n"));
  EXPECT_EQ(gateway.received().find("Authorization"), std::string::npos) << "the origin would read it";
  gateway.send(ok + "203.0.113.7");
  gateway.finish();
  ASSERT_TRUE(over(looking));
  EXPECT_TRUE(looking.seen->address.has_value());
  EXPECT_EQ(looking.seen->bytes_up, gateway.received().size()) << "what SOCKS adds is not counted";
}

}  // namespace
}  // namespace chipgate::gateway
