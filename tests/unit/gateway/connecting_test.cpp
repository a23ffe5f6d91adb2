// Reaching a gateway: names, several addresses, and what counts against an endpoint.
#include "unit/gateway/dialer_test.hpp"

namespace chipgate::gateway {
namespace {

using News = std::vector<std::pair<EndpointIndex, EndpointNews>>;

class Connecting : public DialerTest {
 protected:
  // A port on which nobody listens.
  void nobody() {
    listen();
    listeners_.clear();
  }
  // A full backlog drops what comes.
  void swallow(const std::string& ip) {
    listen(ip);
    ASSERT_EQ(::listen(listeners_[ip].get(), 0), 0);
    fillers_.push_back(test::connect_to({*IpAddress::parse(ip), port_}));
  }
  // The last of three addresses is reached by the third dial, or sooner, where each may take this long.
  void expect_the_third_reached(Milliseconds budget, Milliseconds connect_timeout) {
    swallow("127.0.0.1");
    swallow("127.0.0.2");
    listen("127.0.0.3");
    dialer(EndpointKind::http, {}, connect_timeout);
    resolve({"127.0.0.1", "127.0.0.2", "127.0.0.3"});
    bool reached = false;
    for (int i = 0; i < 3 && !reached; ++i) {
      auto& attempt = dial(budget);
      net::UniqueFd accepted;
      ASSERT_TRUE(until([&] {
        if (!accepted) {
          accepted = net::UniqueFd(::accept4(listeners_["127.0.0.3"].get(), nullptr, nullptr, SOCK_CLOEXEC));
          if (accepted) peer(std::move(accepted)).send("HTTP/1.1 200 OK\r\n\r\n");
        }
        return attempt.over();
      }));
      reached = attempt.result->has_value();
      if (!reached) EXPECT_EQ(attempt.error(), ErrorKind::gateway_connect_timeout);
    }
    EXPECT_TRUE(reached);
  }
  void answer(test::Peer& gateway) {
    ASSERT_TRUE(until([&] { return gateway.received().ends_with("\r\n\r\n"); }));
    gateway.send("HTTP/1.1 200 OK\r\n\r\n");
  }

 private:
  std::vector<net::UniqueFd> fillers_;
};

TEST_F(Connecting, ADialWaitsForTheFirstAnswerOfTheNameServer) {
  listen();
  dialer();
  auto& attempt = dial();
  quiesce();
  EXPECT_FALSE(attempt.over());
  resolve();
  answer(accept());
  ASSERT_TRUE(over(attempt));
  EXPECT_TRUE(attempt.result->has_value());
}

TEST_F(Connecting, ANameThatDoesNotResolveFailsTheDialsThatWait) {
  listen();
  dialer();
  auto& attempt = dial();
  quiesce();
  dialer_->endpoint(EndpointIndex(0)).resolved(Error{ErrorKind::gateway_unresolved, "no such name"});
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::gateway_unresolved);
  EXPECT_EQ(attempt.result->error().detail, "no such name");
}

TEST_F(Connecting, ANameServerThatIsSilentIsBoundedByTheBudget) {
  listen();
  dialer();
  auto& attempt = dial(50ms);
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::gateway_unresolved);
}

TEST_F(Connecting, TheNextAddressIsTriedAndRemembered) {
  listen("127.0.0.2");
  dialer();
  resolve({"127.0.0.1", "127.0.0.2"});
  auto& first = dial();
  answer(accept("127.0.0.2"));
  ASSERT_TRUE(over(first));
  EXPECT_TRUE(first.result->has_value());
  // Somebody listens at the first address now, and is not asked.
  listen("127.0.0.1");
  auto& second = dial();
  answer(accept("127.0.0.2"));
  ASSERT_TRUE(over(second));
  // Nor after the name was looked up again.
  resolve({"127.0.0.1", "127.0.0.2"});
  auto& third = dial();
  answer(accept("127.0.0.2"));
  ASSERT_TRUE(over(third));
}

TEST_F(Connecting, AnAddressThatSwallowsEverythingCostsOneConnectTimeout) {
  listen("127.0.0.2");
  swallow("127.0.0.1");
  dialer(EndpointKind::http, {}, 60ms);
  resolve({"127.0.0.1", "127.0.0.2"});
  const auto begun = Clock::now();
  auto& attempt = dial();
  answer(accept("127.0.0.2"));
  ASSERT_TRUE(over(attempt));
  EXPECT_TRUE(attempt.result->has_value());
  EXPECT_GE(Clock::now() - begun, 60ms);
  EXPECT_LT(Clock::now() - begun, 2s);
}

// A look has 8 s, and a connect 5 s.
TEST_F(Connecting, TwoAddressesThatSwallowEverythingDoNotHideAThirdForEver) { expect_the_third_reached(350ms, 200ms); }

TEST_F(Connecting, NorWhereADialIsOverBeforeTheFirstConnectTimesOut) { expect_the_third_reached(1'100ms, 5'000ms); }

// A client that was held nearly as long as it may wait tells nothing of an address.
TEST_F(Connecting, AnAddressThatHadNoTimeKeepsItsPlace) {
  swallow("127.0.0.1");
  listen("127.0.0.2");
  dialer(EndpointKind::http, {}, 5'000ms);
  resolve({"127.0.0.1", "127.0.0.2"});
  ASSERT_TRUE(over(dial(20ms)));
  EXPECT_EQ(dialer_->endpoint(EndpointIndex(0)).addresses()->value().front().ip.text(), "127.0.0.1");
}

TEST_F(Connecting, WithoutAnotherAddressTheTimeoutIsTold) {
  swallow("127.0.0.1");
  dialer(EndpointKind::http, {}, 60ms);
  resolve();
  auto& attempt = dial();
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::gateway_connect_timeout);
}

TEST_F(Connecting, ARefusalIsTold) {
  nobody();
  dialer();
  resolve();
  auto& attempt = dial();
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::gateway_refused);
  EXPECT_EQ(counters_.dial_failures.value(ErrorKind::gateway_refused), 1U);
}

TEST_F(Connecting, ThreeFailuresInARowAreNewsAndSoIsTheSuccessAfterThem) {
  nobody();
  dialer();
  resolve();
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(over(dial()));
  EXPECT_EQ(news_,
            (News{{EndpointIndex(0), EndpointNews::unreachable}, {EndpointIndex(0), EndpointNews::unreachable}}));
  news_.clear();
  listen();
  for (int i = 0; i < 2; ++i) {
    auto& attempt = dial();
    answer(accept());
    ASSERT_TRUE(over(attempt));
  }
  EXPECT_EQ(news_, (News{{EndpointIndex(0), EndpointNews::reachable}}));
}

TEST_F(Connecting, ASuccessInBetweenStartsTheCountAnew) {
  listen();
  dialer();
  resolve();
  for (int round = 0; round < 3; ++round) {
    listeners_.clear();
    ASSERT_TRUE(over(dial()));
    ASSERT_TRUE(over(dial()));
    listen();
    auto& attempt = dial();
    answer(accept());
    ASSERT_TRUE(over(attempt));
  }
  EXPECT_TRUE(news_.empty());
}

TEST_F(Connecting, WithoutDescriptorsTheHostIsToBlameAndNotTheEndpoint) {
  listen();
  dialer();
  resolve({"127.0.0.1", "127.0.0.2"});
  {
    const test::NoDescriptors none;
    for (int i = 0; i < 4; ++i) {
      auto& attempt = dial();
      ASSERT_TRUE(over(attempt));
      EXPECT_EQ(attempt.error(), ErrorKind::out_of_descriptors);
    }
  }
  EXPECT_TRUE(news_.empty());
  auto& attempt = dial();
  answer(accept());
  ASSERT_TRUE(over(attempt));
  EXPECT_TRUE(attempt.result->has_value());
}

TEST_F(Connecting, ManyDialsWaitForOneName) {
  listen();
  dialer();
  std::vector<Attempt*> all;
  for (int i = 0; i < 50; ++i) all.push_back(&dial());
  quiesce();
  all[10]->waiter.call_off(ErrorKind::fenced);
  ASSERT_TRUE(over(*all[10]));
  resolve();
  for (int i = 0; i < 49; ++i) answer(accept());
  for (auto* attempt : all) ASSERT_TRUE(over(*attempt));
  EXPECT_EQ(all[10]->error(), ErrorKind::fenced);
}

TEST(Endpoint, AFailedAnswerLeavesWhatIsKnown) {
  Endpoint endpoint({EndpointKind::http, "gateway.test", 3120});
  EXPECT_FALSE(endpoint.addresses());
  endpoint.resolved(Error{ErrorKind::gateway_unresolved});
  ASSERT_TRUE(endpoint.addresses()->has_error());
  endpoint.resolved(std::vector{*IpAddress::parse("192.0.2.1")});
  endpoint.resolved(Error{ErrorKind::gateway_unresolved});
  ASSERT_TRUE(endpoint.addresses()->has_value());
  EXPECT_EQ(endpoint.addresses()->value().front().text(), "192.0.2.1:3120");
}

TEST(Endpoint, ThePreferredAddressIsForgottenWhenTheNameLosesIt) {
  const auto a = *IpAddress::parse("192.0.2.1");
  const auto b = *IpAddress::parse("192.0.2.2");
  const auto c = *IpAddress::parse("192.0.2.3");
  Endpoint endpoint({EndpointKind::http, "gateway.test", 1});
  endpoint.resolved(std::vector{a, b});
  endpoint.prefer({b, 1});
  EXPECT_EQ(endpoint.addresses()->value(), (std::vector<SocketAddress>{{b, 1}, {a, 1}}));
  endpoint.resolved(std::vector{a, c});
  EXPECT_EQ(endpoint.addresses()->value(), (std::vector<SocketAddress>{{a, 1}, {c, 1}}));
}

TEST(EndpointOptions, NamesAreUrls) {
  EXPECT_EQ((EndpointOptions{EndpointKind::http, "gw.example", 3120}).name(), "http://gw.example:3120");
  EXPECT_EQ((EndpointOptions{EndpointKind::https, "192.0.2.1", 1}).name(), "https://192.0.2.1:1");
  EXPECT_EQ((EndpointOptions{EndpointKind::socks5, "2001:db8::1", 1}).name(), "socks5://[2001:db8::1]:1");
}

// Held until its chip had an exit, it had no time left to dial; the endpoint never had a chance.
TEST_F(Connecting, AClientWithoutTimeSaysNothingAgainstTheEndpoint) {
  dialer();
  for (int i = 0; i < 3; ++i) {
    auto& attempt = dial(10ms);
    ASSERT_TRUE(over(attempt));
    EXPECT_EQ(attempt.error(), ErrorKind::gateway_unresolved);
  }
  EXPECT_TRUE(news_.empty());
}

}  // namespace
}  // namespace chipgate::gateway
