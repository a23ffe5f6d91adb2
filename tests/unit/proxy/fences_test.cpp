// What a fence resets, whom it leaves be, and when it is done.
#include "unit/proxy/port_test.hpp"

namespace chipgate::proxy {
namespace {

using Fences = PortTest;

TEST_F(Fences, ResetTunnelsDialsAndHeldClients) {
  serve();
  const auto joined = tunnel();
  auto& dialing = ask();
  auto& asked_gateway = asked();
  const auto done = fence();
  for (auto* one : {joined.client, joined.gateway, &dialing, &asked_gateway}) ASSERT_TRUE(ended(*one));
  EXPECT_EQ(joined.client->error(), ECONNRESET);
  ASSERT_TRUE(until([&] { return *done; }));
  EXPECT_TRUE(port_->idle());

  auto& waiting = held();
  const auto again = fence(3);
  EXPECT_FALSE(*again) << "its coroutine has not ended yet";
  ASSERT_TRUE(ended(waiting));
  ASSERT_TRUE(until([&] { return *again; }));
}

TEST_F(Fences, ResetKeepAliveConnectionsBetweenTwoRequests) {
  serve();
  auto& client = get();
  auto& gateway = asked();
  gateway.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  ASSERT_TRUE(until([&] { return client.received().ends_with("hi"); }));
  const auto done = fence();
  ASSERT_TRUE(ended(client));
  ASSERT_TRUE(ended(gateway));
  ASSERT_TRUE(until([&] { return *done; }));
}

TEST_F(Fences, LeaveAClientThatHasNotSpokenToTheNextAssignment) {
  serve();
  auto& client = connect();
  const auto done = fence();
  EXPECT_TRUE(*done);
  port_->open(route(2));
  client.send("CONNECT web.whatsapp.com:443 HTTP/1.1\r\n\r\n");
  asked().send("HTTP/1.1 200 OK\r\n\r\n");
  ASSERT_TRUE(until([&] { return !client.received().empty(); }));
}

// SOCKS clients read a reset between greeting and reply as a broken login.
TEST_F(Fences, LeaveClientsWhoseRequestIsNotCompleteToTheNextAssignment) {
  serve();
  auto& socks = connect();
  socks.send("\x05\x01" + std::string(1, '\0'));
  ASSERT_TRUE(until([&] { return socks.take_received().size() == 2; }));
  auto& half = connect();
  half.send("CONNECT web.whats");
  quiesce();
  EXPECT_TRUE(*fence());
  socks.send(std::string("\x05\x01\0\x03\x05", 5) + "a.sim" + std::string("\x01\xbb", 2));
  half.send("app.com:443 HTTP/1.1\r\n\r\n");
  quiesce();
  EXPECT_EQ(socks.received(), "") << "there is no route to anywhere";
  EXPECT_EQ(chip_counters_->clients_held.value(), 2U);
  port_->open(route(1));
  quiesce();
  EXPECT_EQ(chip_counters_->clients_held.value(), 2U) << "the old epoch's route is none";
  port_->open(route(2));
  for (int i = 0; i < 2; ++i) asked().send("HTTP/1.1 200 OK\r\n\r\n");
  ASSERT_TRUE(until([&] { return socks.received().size() == 10 && !half.received().empty(); }));
  EXPECT_TRUE(socks.received().starts_with(std::string("\x05\0", 2)));
  EXPECT_TRUE(half.received().starts_with("HTTP/1.1 200 ")) << half.received();
}

TEST_F(Fences, LetARefusalBeTold) {
  serve();
  auto& client = ask("web.whatsapp.com:443", "User-Agent: curl\r\n");
  asked().send("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  ASSERT_TRUE(until([&] { return refusals(ErrorKind::provider_session_lost) == 1; }));
  const auto done = fence();
  EXPECT_TRUE(*done);
  ASSERT_TRUE(ended(client));
  EXPECT_TRUE(client.received().starts_with("HTTP/1.1 502")) << client.received();
}

TEST_F(Fences, ARefusedClientHoldsNothingUpstream) {
  serve();
  auto& client = get();
  auto& gateway = asked();
  gateway.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  ASSERT_TRUE(until([&] { return client.received().ends_with("hi"); }));
  client.send("GET https://plain.test/ HTTP/1.1\r\nHost: plain.test\r\n\r\n");
  ASSERT_TRUE(until([&] { return client.received().find("cleartext_https") != std::string::npos; }));
  gateway.pump();
  EXPECT_TRUE(gateway.ended()) << "the refusal has been told, and the client still lingers";
}

TEST_F(Fences, EndLooksAndAreDoneBehindThem) {
  start();
  const auto looked = look(route());
  auto& gateway = asked();
  const auto done = fence();
  EXPECT_FALSE(*done);
  ASSERT_TRUE(until([&] { return *done; }));
  ASSERT_TRUE(looked->has_value());
  EXPECT_EQ((*looked)->address.error(), ErrorKind::fenced);
  EXPECT_GT((*looked)->bytes_up, 0U);
  ASSERT_TRUE(ended(gateway));
}

TEST_F(Fences, AreDoneWithoutWaitingForLooksOfTheNextEpoch) {
  start();
  look(route(1));
  asked();
  const auto done = fence();
  const auto next = look(route(2));
  asked();
  ASSERT_TRUE(until([&] { return *done; }));
  EXPECT_FALSE(next->has_value());
}

TEST_F(Fences, TwoOfThemAreBothTold) {
  start();
  look(route());
  asked();
  const auto first = fence(2);
  const auto second = fence(3);
  ASSERT_TRUE(until([&] { return *first && *second; }));
}

TEST_F(Fences, ARouteThatOneHasPassedIsDropped) {
  start();
  fence(5);
  port_->open(route(4));
  EXPECT_FALSE(port_->route());
  port_->open(route(5));
  EXPECT_TRUE(port_->route());
}

TEST_F(Fences, ADrainEndsThoseWhoHaveAskedForNothingAsWell) {
  serve();
  auto& silent = connect();
  auto& socks = connect();
  socks.send("\x05\x01" + std::string(1, '\0'));
  ASSERT_TRUE(until([&] { return socks.received().size() == 2; }));
  port_->drain(ErrorKind::draining);
  ASSERT_TRUE(ended(silent));
  ASSERT_TRUE(ended(socks));
}

TEST_F(Fences, LeavingDoesNotCutARefusalThatIsBeingTold) {
  serve();
  auto& client = ask("web.whatsapp.com:443", "User-Agent: curl\r\n");
  client.pause_reading();
  asked().send("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  // Until the answer stands in the client's kernel: chipgate reads on for a while then.
  const auto told = [&] {
    char byte = 0;
    return ::recv(client.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
  };
  ASSERT_TRUE(until(told));
  // More than is read at once: a close now would turn into a reset and drop the answer.
  client.send("more");
  port_->leave();
  client.resume_reading();
  ASSERT_TRUE(until([&] { return client.eof(); }));
  EXPECT_TRUE(client.received().starts_with("HTTP/1.1 502")) << client.received();
  quiesce();
  EXPECT_FALSE(port_->idle()) << "it still reads what the client says";
  client.close();
  ASSERT_TRUE(until([&] { return port_->idle(); }));
}

}  // namespace
}  // namespace chipgate::proxy
