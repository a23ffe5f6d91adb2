// CONNECT to a SOCKS5 gateway, word by word.
#include "unit/gateway/dialer_test.hpp"

namespace chipgate::gateway {
namespace {

using namespace std::string_literals;

class SocksDialer : public DialerTest {
 protected:
  void SetUp() override { use(EndpointKind::socks5); }

  // Its part of the talk, as far as the answer to the request.
  test::Peer& greeted() {
    auto& gateway = accept();
    EXPECT_TRUE(until([&] { return gateway.received() == greeting; }));
    gateway.take_received();
    gateway.send("\x05\x02"s);
    EXPECT_TRUE(until([&] { return gateway.received() == credentials; })) << gateway.received();
    gateway.take_received();
    return gateway;
  }
  test::Peer& asked() {
    auto& gateway = greeted();
    gateway.send("\x01\x00"s);
    EXPECT_TRUE(until([&] { return gateway.received() == request; }));
    return gateway;
  }

  const std::string greeting = "\x05\x01\x02"s;
  const std::string credentials = "\x01\x0euser-session-x\x04pass"s;
  const std::string request = "\x05\x01\x00\x03\x10web.whatsapp.com\x01\xbb"s;
  const std::string granted = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"s;
};

TEST_F(SocksDialer, SaysItsWordsAndGetsItsTunnel) {
  auto& attempt = dial();
  asked().send(granted + "early");
  ASSERT_TRUE(over(attempt));
  ASSERT_TRUE(attempt.result->has_value());
  EXPECT_EQ(attempt.result->value().early, "early");
}

TEST_F(SocksDialer, UnderstandsAnswersByteByByte) {
  auto& attempt = dial();
  auto& gateway = accept();
  for (const char byte : "\x05\x02\x01\x00"s + granted) {
    ASSERT_FALSE(attempt.over());
    gateway.send({&byte, 1});
    digest(gateway);
  }
  ASSERT_TRUE(over(attempt));
  ASSERT_TRUE(attempt.result->has_value());
  ASSERT_TRUE(until([&] { return gateway.received() == greeting + credentials + request; }));
}

TEST_F(SocksDialer, AnswersThatComeAllAtOnceAreTakenApart) {
  auto& attempt = dial();
  accept().send("\x05\x02\x01\x00"s + granted + "early");
  ASSERT_TRUE(over(attempt));
  ASSERT_TRUE(attempt.result->has_value());
  EXPECT_EQ(attempt.result->value().early + read_on(attempt), "early");
}

TEST_F(SocksDialer, WrongCredentialsAreTheAccounts) {
  auto& attempt = dial();
  greeted().send("\x01\x01"s);
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::provider_auth);
}

// Without credentials it would send the chip out by another exit.
TEST_F(SocksDialer, AGatewayThatWantsNoCredentialsIsRefused) {
  for (const auto& method : {"\x05\x00"s, "\x05\xff"s}) {
    auto& attempt = dial();
    auto& gateway = accept();
    gateway.send(method);
    ASSERT_TRUE(over(attempt));
    EXPECT_TRUE(attempt.result->has_error());
    EXPECT_EQ(gateway.received(), greeting);
  }
}

TEST_F(SocksDialer, EachReplyHasItsMeaning) {
  const std::map<char, ErrorKind> meanings{{1, ErrorKind::provider_refused},   {2, ErrorKind::provider_denied_target},
                                           {3, ErrorKind::target_unreachable}, {4, ErrorKind::target_unreachable},
                                           {5, ErrorKind::target_unreachable}, {6, ErrorKind::provider_exit_timeout}};
  for (const auto& [reply, meaning] : meanings) {
    auto& attempt = dial();
    auto& gateway = asked();
    gateway.send("\x05"s + reply);
    gateway.close();
    ASSERT_TRUE(over(attempt));
    EXPECT_EQ(attempt.error(), meaning);
  }
}

TEST_F(SocksDialer, FinResetAndSilenceAtEveryStep) {
  const auto said = "\x05\x02\x01\x00"s + granted;
  std::map<std::size_t, Attempt*> all_waiting;
  for (std::size_t after = 0; after < said.size(); after += 2) {
    auto& closed = dial();
    auto& closing = accept();
    closing.send(said.substr(0, after));
    digest(closing);
    closing.close();
    ASSERT_TRUE(over(closed));
    EXPECT_EQ(closed.error(), ErrorKind::gateway_closed) << after;

    auto& broken = dial();
    auto& breaking = accept();
    breaking.send(said.substr(0, after));
    digest(breaking);
    breaking.reset();
    ASSERT_TRUE(over(broken));
    EXPECT_EQ(broken.error(), ErrorKind::gateway_closed) << after;

    all_waiting[after] = &dial(500ms);
    accept().send(said.substr(0, after));
  }
  for (const auto& [after, waiting] : all_waiting) {
    ASSERT_TRUE(over(*waiting));
    EXPECT_EQ(waiting->error(), ErrorKind::gateway_silent) << after;
  }
}

TEST_F(SocksDialer, GarbageIsGarbled) {
  auto& attempt = dial();
  accept().send("HTTP/1.1 400 Bad Request\r\n\r\n");
  ASSERT_TRUE(over(attempt));
  EXPECT_EQ(attempt.error(), ErrorKind::gateway_garbled);
}

net::Task<void> reach_for_requests(Dialer& dialer, Dial dial, std::optional<Result<net::EndPtr>>& result) {
  protocol::Authority target{"web.whatsapp.com", 443};
  auto reached = co_await dialer.reach_for_requests(dial, std::move(target));
  result.emplace(std::move(reached));
}

// They would be taken for the beginning of the first request's answer.
TEST_F(SocksDialer, BytesBeforeTheFirstPlainRequestMakeTheConnectionUseless) {
  const provider::Credentials account{Secret("user-session-x"), Secret("pass")};
  auto& attempt = attempts_.emplace_back(
      shard(), counters_,
      make_route(SessionIdentifier("chip-a-1"), Epoch(1), EndpointIndex(0), account, IpLiterals::carried));
  std::optional<Result<net::EndPtr>> result;
  shard().tasks().spawn(
      reach_for_requests(*dialer_, {attempt.waiter, *attempt.route, attempt.watch, Clock::now() + 10s}, result));
  asked().send(granted + "early");
  ASSERT_TRUE(until([&] { return result.has_value(); }));
  ASSERT_TRUE(result->has_error());
  EXPECT_EQ(result->error().kind, ErrorKind::gateway_garbled);
}

}  // namespace
}  // namespace chipgate::gateway
