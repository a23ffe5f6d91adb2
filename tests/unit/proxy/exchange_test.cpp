// One plain request and its answer, with a gateway that reads and answers only as the test lets it.
#include "chipgate/proxy/exchange.hpp"

#include "unit/support/loopback.hpp"
#include "unit/support/shard_test.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>

namespace chipgate::proxy {
namespace {

using test::pattern;

class ExchangeTest : public test::ShardTest {
 protected:
  struct Served {
    Served(net::Shard& shard, test::TcpPair& client_pair, test::TcpPair& gateway_pair)
        : waiter(shard),
          client(shard.set().add(std::move(client_pair.ours))),
          upstream(shard.set().add(std::move(gateway_pair.ours))) {}

    bool over() const { return result.has_value(); }

    net::Waiter waiter;
    net::EndPtr client;
    net::EndPtr upstream;
    protocol::RequestReader request;
    std::string behind;
    gateway::RoutePtr route =
        gateway::make_route(SessionIdentifier("chip-a-1"), Epoch(1), EndpointIndex(0),
                            {Secret("user-session-x"), Secret("account-pass")}, gateway::IpLiterals::carried);
    PortCounters counters{*ChipId::parse("alpha")};
    relay::RelayOptions quiet;
    std::optional<Exchange> exchange;
    std::optional<Result<void>> result;
    TimePoint promised;
    test::Peer* client_peer = nullptr;
    test::Peer* gateway_peer = nullptr;
  };

  void TearDown() override {
    for (auto& served : served_) served.waiter.call_off(ErrorKind::draining);
    quiesce();
    served_.clear();
    ShardTest::TearDown();
  }

  // A request whose head chipgate has read, with bytes that came behind it. `window` is small where the gateway should
  // block soon.
  Served& serve(const std::string& head, std::string behind, int gateway_window = 0) {
    auto client = test::tcp_pair();
    auto gateway = test::tcp_pair(gateway_window);
    auto& served = served_.emplace_back(shard(), client, gateway);
    served.client_peer = &peer(std::move(client.theirs));
    served.gateway_peer = &peer(std::move(gateway.theirs));
    EXPECT_EQ(served.request.take(head).value(), head.size());
    served.behind = std::move(behind);
    served.quiet = quiet_;
    served.promised = promised_;
    served.exchange.emplace(Exchange::Ends{served.waiter, *served.client, *served.upstream, served.counters,
                                           gateway::EndpointKind::http, *served.route, served.quiet},
                            served.request, served.behind);
    shard().tasks().spawn(run(served));
    return served;
  }

  bool over(Served& served) {
    return until([&] { return served.over(); });
  }

  relay::RelayOptions quiet_;
  TimePoint promised_ = Clock::now() + patience;
  std::deque<Served> served_;

 private:
  static net::Task<void> run(Served& served) {
    const Secret head("POST http://origin.test/ HTTP/1.1\r\n\r\n");
    auto result = co_await served.exchange->run(head, Clock::now() + patience, served.promised);
    served.result.emplace(std::move(result));
  }
};

constexpr auto answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string post(std::size_t length) {
  return "POST http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\nContent-Length: " + std::to_string(length) +
         "\r\n\r\n";
}

TEST_F(ExchangeTest, AGatewayThatHasTheWholeBodyMayBeUsedAgain) {
  auto& served = serve(post(30'000), pattern(30'000));
  ASSERT_TRUE(until([&] { return served.gateway_peer->received().size() > 30'000; }));
  served.gateway_peer->send(answer);
  ASSERT_TRUE(over(served));
  EXPECT_TRUE(served.result->has_value());
  EXPECT_TRUE(served.exchange->upstream_reusable());
}

// The next head would stand where the rest of the body is expected, and the origin would get it with the credentials.
TEST_F(ExchangeTest, AGatewayThatAnsweredBeforeItTookTheWholeBodyIsNotUsedAgain) {
  auto& served = serve(post(30'000), pattern(30'000), 4 * 1024);
  served.gateway_peer->pause_reading();
  quiesce();
  served.gateway_peer->send(answer);
  ASSERT_TRUE(over(served));
  EXPECT_TRUE(served.result->has_value());
  EXPECT_TRUE(served.request.complete());
  EXPECT_FALSE(served.exchange->upstream_reusable());
  // Until somebody reads, no more of it has gone than fitted.
  EXPECT_LT(served.exchange->bytes_up(), 30'000U);
}

// What moved between two turns of another handler is what one turn took.
TEST_F(ExchangeTest, ADownloadLetsOthersHaveTheirTurn) {
  constexpr std::size_t size = 8 * 1024 * 1024;
  constexpr std::size_t longest_turn = 128 * 1024;
  auto& served = serve("GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n", {});
  std::size_t longest = 0;
  std::size_t before = 0;
  const auto give_up = Clock::now() + patience;
  std::function<void()> other = [&] {
    pump();
    const auto now = served.exchange->bytes_down();
    longest = std::max(longest, now - before);
    before = now;
    if (!served.over() && Clock::now() < give_up) shard().post(other);
  };
  served.gateway_peer->send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + pattern(size));
  shard().post(other);
  ASSERT_TRUE(over(served));
  EXPECT_TRUE(served.result->has_value());
  EXPECT_GE(served.exchange->bytes_down(), size);
  EXPECT_LE(longest, longest_turn);
}

TEST_F(ExchangeTest, AnAnswerThatDoesNotComeIsTheGatewaysFault) {
  quiet_.first_reply = Milliseconds(50);
  auto& served = serve(post(5), "12345");
  ASSERT_TRUE(over(served));
  EXPECT_EQ(served.result->error().kind, ErrorKind::gateway_silent);
}

// Held until its chip had an exit, it has waited nearly as long as it was promised.
TEST_F(ExchangeTest, AClientThatWasHeldWaitsNoWholeFirstReplyAgain) {
  quiet_.first_reply = patience;
  promised_ = Clock::now() + std::chrono::milliseconds(10);
  const auto begun = Clock::now();
  auto& served = serve(post(5), "12345");
  ASSERT_TRUE(over(served));
  EXPECT_EQ(served.result->error(), ErrorKind::gateway_silent);
  EXPECT_GE(Clock::now() - begun, std::chrono::seconds(1)) << "the origin had no chance";
  EXPECT_LT(Clock::now() - begun, patience / 2);
  EXPECT_TRUE(served.exchange->was_cut_short()) << "the address is not to blame";
}

TEST_F(ExchangeTest, NorDoesOneThatWaitsToBeAskedForItsBody) {
  quiet_.first_reply = patience;
  promised_ = Clock::now() + std::chrono::milliseconds(10);
  const auto begun = Clock::now();
  auto& served = serve("POST http://origin.test/ HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", "");
  ASSERT_TRUE(over(served));
  EXPECT_EQ(served.result->error(), ErrorKind::gateway_silent);
  EXPECT_LT(Clock::now() - begun, patience / 2);
}

// Nobody could answer it before.
TEST_F(ExchangeTest, ABodyThatTookItsTimeIsAnsweredInItsOwn) {
  quiet_.first_reply = patience;
  promised_ = Clock::now();
  auto& served = serve(post(5), "1234");
  quiesce();
  served.client_peer->send("5");
  shard().context().run_for(std::chrono::milliseconds(2'500));
  ASSERT_FALSE(served.over());
  served.gateway_peer->send(answer);
  ASSERT_TRUE(over(served));
  EXPECT_TRUE(served.result->has_value());
}

TEST_F(ExchangeTest, AHeadThatDripsBuysNoTime) {
  quiet_.first_reply = Milliseconds(50);
  auto& served = serve("GET http://origin.test/ HTTP/1.1\r\n\r\n", "");
  served.gateway_peer->send("HTTP/1.1 200 OK\r\nX: ");
  ASSERT_TRUE(until([&] {
    served.gateway_peer->send("x");
    return served.over();
  }));
  EXPECT_EQ(served.result->error(), ErrorKind::gateway_silent);
}

TEST_F(ExchangeTest, InterimAnswersWithoutEndAreNoAnswer) {
  auto& served = serve("GET http://origin.test/ HTTP/1.1\r\n\r\n", "");
  ASSERT_TRUE(until([&] {
    served.gateway_peer->send("HTTP/1.1 102 Processing\r\n\r\n");
    return served.over();
  }));
  EXPECT_EQ(served.result->error(), ErrorKind::gateway_garbled);
}

TEST_F(ExchangeTest, ABodyThatStopsIsTheClientsFault) {
  quiet_.first_reply = Milliseconds(500);
  quiet_.idle_timeout = Milliseconds(600);
  auto& served = serve(post(10), "12345");
  ASSERT_TRUE(over(served));
  EXPECT_EQ(served.result->error().kind, ErrorKind::body_timeout);
}

TEST_F(ExchangeTest, ABodyThatIsNeverAskedForIsTheGatewaysFault) {
  quiet_.first_reply = Milliseconds(50);
  auto& served = serve("PUT http://origin.test/ HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", {});
  ASSERT_TRUE(over(served));
  EXPECT_EQ(served.result->error().kind, ErrorKind::gateway_silent);
}

TEST_F(ExchangeTest, AGapWithinAnAnswerIsBoundedOnlyByAnIdleTimeout) {
  quiet_.first_reply = Milliseconds(500);
  const auto begun = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nbeg";
  auto& patient = serve(post(0), {});
  patient.gateway_peer->send(begun);
  ASSERT_TRUE(until([&] { return patient.client_peer->received().ends_with("beg"); }));
  quiet_.idle_timeout = Milliseconds(600);
  auto& bounded = serve(post(0), {});
  bounded.gateway_peer->send(begun);
  ASSERT_TRUE(over(bounded));
  EXPECT_EQ(bounded.result->error().kind, ErrorKind::idle_timeout);
  EXPECT_FALSE(patient.over());
  patient.gateway_peer->send("gun");
  ASSERT_TRUE(over(patient));
  EXPECT_TRUE(patient.result->has_value());
}

}  // namespace
}  // namespace chipgate::proxy
