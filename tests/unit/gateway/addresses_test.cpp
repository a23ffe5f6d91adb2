// Which of an endpoint's addresses is dialed, and what is held against whom.
#include "unit/gateway/dialer_test.hpp"
#include "unit/support/tls.hpp"

namespace chipgate::gateway {
namespace {

constexpr auto ok = "HTTP/1.1 200 OK\r\n\r\n";

class Addresses : public DialerTest {
 protected:
  void two(EndpointKind kind) {
    listen("127.0.0.1");
    listen("127.0.0.2");
    dialer(kind, {authority_.file(), {}}, kind == EndpointKind::https ? 500ms : 50ms);
    resolve({"127.0.0.1", "127.0.0.2"});
  }
  // Accepts, and shakes hands where the endpoint speaks TLS.
  test::Peer& meet(const std::string& ip) {
    auto& gateway = accept(ip);
    if (dialer_->endpoint(EndpointIndex(0)).options().kind == EndpointKind::https) {
      gateway.serve_tls(tls_.accept(gateway.fd()));
    }
    return gateway;
  }
  void answer(const std::string& ip) {
    auto& gateway = meet(ip);
    ASSERT_TRUE(until([&] { return gateway.received().ends_with("\r\n\r\n"); }));
    gateway.send(ok);
  }
  void expect_way_within_the_budget(EndpointKind kind) {
    two(kind);
    auto& first = dial(3'000ms);
    meet("127.0.0.1");
    answer("127.0.0.2");
    ASSERT_TRUE(over(first));
    EXPECT_TRUE(first.result->has_value());
    // And is not the first to be asked any more, nor after the name was looked up again.
    resolve({"127.0.0.1", "127.0.0.2"});
    auto& second = dial();
    answer("127.0.0.2");
    ASSERT_TRUE(over(second));
  }
  void expect_doubt_after_three_silences(EndpointKind kind) {
    two(kind);
    auto& served = dial();
    answer("127.0.0.1");
    ASSERT_TRUE(over(served));
    for (int i = 0; i < 3; ++i) {
      // A handshake takes its time on a busy machine.
      auto& silent = dial(kind == EndpointKind::https ? 1'000ms : 100ms);
      meet("127.0.0.1");
      ASSERT_TRUE(over(silent));
      EXPECT_EQ(silent.error(), ErrorKind::gateway_silent);
    }
    auto& again = dial();
    answer("127.0.0.2");
    ASSERT_TRUE(over(again));
  }
  // A connection on which nothing is asked, as for plain requests.
  bool reach() {
    std::optional<bool> reached;
    auto& attempt = attempts_.emplace_back(shard(), counters_,
                                           make_route(SessionIdentifier("chip-a-1"), Epoch(1), EndpointIndex(0),
                                                      {Secret("u"), Secret("p")}, IpLiterals::carried));
    shard().tasks().spawn(run_reach(*dialer_, attempt, reached));
    EXPECT_TRUE(until([&] { return reached.has_value(); }));
    return reached.value_or(false);
  }

 private:
  static net::Task<void> run_reach(Dialer& dialer, Attempt& attempt, std::optional<bool>& reached) {
    const Dial dial{attempt.waiter, *attempt.route, attempt.watch, Clock::now() + 10s};
    const auto upstream = co_await dialer.reach(dial);
    reached = upstream.has_value();
  }

  const test::TlsAuthority authority_;
  const test::TlsGateway tls_{authority_};
};

TEST_F(Addresses, OneThatAcceptsAndNeverAnswersGivesWayWithinTheBudget) {
  expect_way_within_the_budget(EndpointKind::http);
}

// A handshake is no service.
TEST_F(Addresses, OneThatOnlyShakesHandsGivesWayWithinTheBudget) { expect_way_within_the_budget(EndpointKind::https); }

TEST_F(Addresses, OneThatHangsUpBeforeItsFirstAnswerGivesWay) {
  two(EndpointKind::http);
  auto& attempt = dial();
  accept("127.0.0.1").finish();
  answer("127.0.0.2");
  ASSERT_TRUE(over(attempt));
  EXPECT_TRUE(attempt.result->has_value());
}

// Its silence is then the session's own, and another address would only be asked the same.
TEST_F(Addresses, OneThatHasServedIsNotDoubtedForOneSilence) {
  two(EndpointKind::http);
  auto& served = dial();
  answer("127.0.0.1");
  ASSERT_TRUE(over(served));
  auto& silent = dial(100ms);
  accept("127.0.0.1");
  ASSERT_TRUE(over(silent));
  EXPECT_EQ(silent.error(), ErrorKind::gateway_silent);
  auto& again = dial();
  answer("127.0.0.1");
  ASSERT_TRUE(over(again));
}

TEST_F(Addresses, OneThatHasServedIsDoubtedAfterThreeSilences) {
  expect_doubt_after_three_silences(EndpointKind::http);
}

TEST_F(Addresses, OneThatHasServedOverTlsIsDoubtedAfterThreeSilences) {
  expect_doubt_after_three_silences(EndpointKind::https);
}

TEST_F(Addresses, OneThatSpeaksNoTlsGivesWay) {
  two(EndpointKind::https);
  auto& attempt = dial();
  accept("127.0.0.1").send("220 mail.test ESMTP\r\n");
  accept("127.0.0.2").send("220 mail.test ESMTP\r\n");
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::gateway_tls_failed);
}

TEST_F(Addresses, OneThatIsSilentUnderTlsGivesWayWithinTheBudget) {
  two(EndpointKind::https);
  auto& attempt = dial(1'000ms);
  accept("127.0.0.1");
  accept("127.0.0.2").send("220 mail.test ESMTP\r\n");
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::gateway_tls_failed);
}

// The kernel has no way to a multicast address by TCP, which it says before anything is sent.
TEST_F(Addresses, OneThatThisHostHasNoWayToIsNotHeldAgainstTheEndpoint) {
  listen();
  dialer();
  resolve({"224.0.0.1"});
  for (int i = 0; i < 4; ++i) {
    auto& attempt = dial();
    ASSERT_TRUE(over(attempt));
    EXPECT_EQ(attempt.error(), ErrorKind::no_way_to_gateway);
  }
  EXPECT_TRUE(news_.empty());
}

TEST_F(Addresses, AHostWithoutAWayToTheFirstTakesTheNext) {
  listen();
  dialer();
  resolve({"224.0.0.1", "127.0.0.1"});
  auto& attempt = dial();
  answer("127.0.0.1");
  ASSERT_TRUE(over(attempt));
  EXPECT_TRUE(attempt.result->has_value());
}

TEST_F(Addresses, AConnectionForPlainRequestsIsASuccessToo) {
  listen();
  dialer();
  resolve();
  for (int round = 0; round < 3; ++round) {
    listeners_.clear();
    ASSERT_TRUE(over(dial()));
    ASSERT_TRUE(over(dial()));
    listen();
    EXPECT_TRUE(reach());
  }
  EXPECT_TRUE(news_.empty());
}

}  // namespace
}  // namespace chipgate::gateway
