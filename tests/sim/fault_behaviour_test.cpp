// Faults on the way to a tunnel as a client of the simulated provider sees them.
#include "sim/simulator.hpp"
#include "sim/test_client.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <system_error>

namespace chipgate::sim::test {
namespace {

// How long silence has to last to be believed.
constexpr Milliseconds silence{100};

Fault fault(FaultStage stage, FaultKind kind) {
  Fault made;
  made.stage = stage;
  made.kind = kind;
  return made;
}

// What a CONNECT with the session gets.
Heard ask(const Simulator& simulator, Milliseconds limit = std::chrono::seconds(5)) {
  Client client(simulator.ports().http);
  client.say(connect_request("echo.sim:7", "a"));
  return client.hear_to_end(limit);
}

TEST(ConnectFault, StatusComesWithItsReasonHeadersAndOnlySoOften) {
  Simulator simulator;
  auto lost = fault(FaultStage::connect, FaultKind::status);
  lost.status = 522;
  lost.headers.add("X-Error-Description", "session has failed");
  lost.count = 1;
  simulator.inject(lost);
  const auto heard = ask(simulator);
  EXPECT_TRUE(heard.bytes.starts_with("HTTP/1.1 522 ")) << heard.bytes;
  EXPECT_NE(heard.bytes.find("X-Error-Description: session has failed\r\n"), std::string::npos);
  EXPECT_EQ(heard.end, StreamEnd::fin);
  open_tunnel(simulator, "echo.sim:7", "a");
  EXPECT_EQ(simulator.stats().faults, 1U);
}

TEST(ConnectFault, Status200CarriesHeaders) {
  Simulator simulator;
  auto told = fault(FaultStage::connect, FaultKind::status);
  told.status = 200;
  told.headers.add("x-brd-ip", "rffff");
  simulator.inject(told);
  Client client(simulator.ports().http);
  client.say(connect_request("echo.sim:7", "a"));
  EXPECT_NE(client.hear_until("\r\n\r\n").find("x-brd-ip: rffff"), std::string::npos);
  client.say("x");
  EXPECT_EQ(client.hear_exactly(1), "x");
}

TEST(ConnectFault, SilenceNeverAnswers) {
  Simulator simulator;
  simulator.inject(fault(FaultStage::connect, FaultKind::silence));
  const auto heard = ask(simulator, silence);
  EXPECT_EQ(heard.bytes, "");
  EXPECT_EQ(heard.end, StreamEnd::limit);
}

TEST(ConnectFault, SlowAnswersLater) {
  Simulator simulator;
  auto slow = fault(FaultStage::connect, FaultKind::slow);
  slow.delay = Milliseconds(60);
  simulator.inject(slow);
  const auto before = Clock::now();
  open_tunnel(simulator, "echo.sim:7", "a");
  EXPECT_GE(Clock::now() - before, Milliseconds(60));
}

TEST(ConnectFault, FinAndResetEndWithoutAnAnswer) {
  Simulator simulator;
  simulator.inject(fault(FaultStage::connect, FaultKind::fin));
  auto heard = ask(simulator);
  EXPECT_EQ(heard.bytes, "");
  EXPECT_EQ(heard.end, StreamEnd::fin);
  simulator.clear_faults();
  simulator.inject(fault(FaultStage::connect, FaultKind::rst));
  heard = ask(simulator);
  EXPECT_EQ(heard.bytes, "");
  EXPECT_EQ(heard.end, StreamEnd::reset);
}

TEST(ConnectFault, GarbageIsNoAnswer) {
  Simulator simulator;
  simulator.inject(fault(FaultStage::connect, FaultKind::garbage));
  const auto heard = ask(simulator);
  EXPECT_FALSE(heard.bytes.empty());
  EXPECT_FALSE(heard.bytes.starts_with("HTTP/"));
}

TEST(ConnectFault, SplitComesByteByByte) {
  Simulator simulator;
  simulator.inject(fault(FaultStage::connect, FaultKind::split));
  Client client(simulator.ports().http);
  client.say(connect_request("echo.sim:7", "a"));
  const auto head = client.hear_until("\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ")) << head;
  EXPECT_EQ(client.segments(), head.size());
  client.say("x");
  EXPECT_EQ(client.hear_exactly(1), "x");
}

TEST(ConnectFault, ExtraBytesComeWithTheAnswer) {
  Simulator simulator;
  auto extra = fault(FaultStage::connect, FaultKind::extra);
  extra.body = "hello";
  simulator.inject(extra);
  Client client(simulator.ports().http);
  client.say(connect_request("echo.sim:7", "a"));
  EXPECT_TRUE(client.hear_once().ends_with("\r\n\r\nhello"));
}

TEST(ConnectFault, SocksRepliesAreChosen) {
  Simulator simulator;
  auto refused = fault(FaultStage::connect, FaultKind::socks_reply);
  refused.rep = 4;
  simulator.inject(refused);
  Client client(simulator.ports().socks5);
  EXPECT_EQ(open_socks(client, "echo.sim", 7, "a"), 4U);
}

TEST(ConnectFault, StrikesOnlyTheSessionThatItNames) {
  Simulator simulator;
  auto picky = fault(FaultStage::connect, FaultKind::rst);
  picky.session = "chip-2";
  simulator.inject(picky);
  open_tunnel(simulator, "echo.sim:7", "chip-1-5");
  Client client(simulator.ports().http);
  client.say(connect_request("echo.sim:7", "chip-2-5"));
  EXPECT_EQ(client.hear_to_end().end, StreamEnd::reset);
}

TEST(AuthFault, RejectsGoodCredentials) {
  Simulator simulator;
  simulator.inject(fault(FaultStage::auth, FaultKind::reject));
  EXPECT_TRUE(ask(simulator).bytes.starts_with("HTTP/1.1 407 "));
}

TEST(AcceptFault, RefuseClosesThePortUntilItIsTakenAway) {
  Simulator simulator;
  auto refuse = fault(FaultStage::accept, FaultKind::refuse);
  refuse.listener = ListenerKind::http;
  simulator.inject(refuse);
  EXPECT_THROW(Client(simulator.ports().http), std::system_error);
  EXPECT_NO_THROW(Client(simulator.ports().socks5));
  simulator.clear_faults();
  open_tunnel(simulator, "echo.sim:7", "a");
}

TEST(AcceptFault, SilenceFinAndReset) {
  Simulator simulator;
  simulator.inject(fault(FaultStage::accept, FaultKind::silence));
  EXPECT_EQ(ask(simulator, silence).end, StreamEnd::limit);
  simulator.clear_faults();
  simulator.inject(fault(FaultStage::accept, FaultKind::fin));
  EXPECT_EQ(Client(simulator.ports().http).hear_to_end().end, StreamEnd::fin);
  simulator.clear_faults();
  simulator.inject(fault(FaultStage::accept, FaultKind::rst));
  EXPECT_EQ(Client(simulator.ports().http).hear_to_end().end, StreamEnd::reset);
}

TEST(TlsFault, BadCertificatesAreRefusedByAGoodClient) {
  Simulator simulator;
  for (const auto kind : {FaultKind::expired, FaultKind::wrong_name, FaultKind::self_signed}) {
    simulator.clear_faults();
    simulator.inject(fault(FaultStage::tls, kind));
    Client client(simulator.ports().https);
    EXPECT_FALSE(client.start_tls("localhost", simulator.ca_pem())) << name(kind);
  }
  simulator.clear_faults();
  Client client(simulator.ports().https);
  EXPECT_TRUE(client.start_tls("localhost", simulator.ca_pem()));
}

TEST(OriginFault, AnEchoMayBeBrokenOrLie) {
  Simulator simulator;
  auto captcha = fault(FaultStage::origin, FaultKind::status);
  captcha.status = 200;
  captcha.body = "<html>are you human?</html>";
  captcha.target = "exit-ip.sim";
  simulator.inject(captcha);
  auto tunnel = open_tunnel(simulator, "exit-ip.sim:80", "a");
  tunnel.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(tunnel.hear_to_end().bytes.ends_with("human?</html>"));
}

TEST(FaultApi, AddsShowsAndTakesAway) {
  Simulator simulator;
  EXPECT_EQ(call_api(simulator, "POST", "/faults", R"({"stage":"connect","kind":"expired"})").status, 400U);
  const auto added = call_api(simulator, "POST", "/faults", R"({"stage":"connect","kind":"status","status":503})");
  EXPECT_EQ(added.status, 201U);
  EXPECT_EQ(added.body, "{\"id\":1}\n");
  EXPECT_TRUE(ask(simulator).bytes.starts_with("HTTP/1.1 503 "));
  EXPECT_NE(call_api(simulator, "GET", "/faults").body.find(R"("kind":"status","struck":1)"), std::string::npos);
  EXPECT_EQ(call_api(simulator, "DELETE", "/faults/1").status, 200U);
  EXPECT_EQ(call_api(simulator, "PUT", "/faults", R"({"stage":"connect","kind":"fin"})").status, 201U);
  EXPECT_EQ(ask(simulator).bytes, "");
  EXPECT_EQ(call_api(simulator, "DELETE", "/faults").status, 200U);
  EXPECT_EQ(simulator.faults().size(), 0U);
}

TEST(FaultApi, AReplacementThatIsRefusedChangesNothing) {
  Simulator simulator;
  ASSERT_EQ(call_api(simulator, "POST", "/faults", R"({"stage":"accept","kind":"refuse"})").status, 201U);
  for (const auto* bad : {"{", R"({"stage":"connect","kind":"expired"})"}) {
    EXPECT_EQ(call_api(simulator, "PUT", "/faults", bad).status, 400U) << bad;
    EXPECT_NE(call_api(simulator, "GET", "/faults").body.find(R"("kind":"refuse")"), std::string::npos);
    EXPECT_THROW(Client(simulator.ports().http), std::system_error);
  }
  ASSERT_EQ(call_api(simulator, "PUT", "/faults", R"({"stage":"connect","kind":"fin"})").status, 201U);
  EXPECT_EQ(call_api(simulator, "GET", "/faults").body.find(R"("kind":"refuse")"), std::string::npos);
  EXPECT_NO_THROW(Client(simulator.ports().http));
}

}  // namespace
}  // namespace chipgate::sim::test
