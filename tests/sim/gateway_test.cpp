// The simulated provider over real sockets, when nothing goes wrong.
#include "sim/simulator.hpp"
#include "sim/test_client.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <set>
#include <system_error>

namespace chipgate::sim::test {
namespace {

std::string get(std::string_view target, std::string_view headers = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n{}\r\n", target, headers);
}

TEST(Gateway, ThreeSessionsHaveThreeExits) {
  Simulator simulator;
  const std::set<std::string> exits{exit_of(simulator, "a"), exit_of(simulator, "b"), exit_of(simulator, "c")};
  EXPECT_EQ(exits.size(), 3U);
  for (const auto& exit : exits) EXPECT_TRUE(exit.starts_with("127.20.")) << exit;
}

TEST(Gateway, OneSessionKeepsItsExit) {
  Simulator simulator;
  const auto exit = exit_of(simulator, "chip-1-session-2");
  EXPECT_EQ(exit_of(simulator, "chip-1-session-2"), exit);
  const auto sessions = simulator.sessions();
  ASSERT_EQ(sessions.size(), 1U);
  EXPECT_EQ(sessions[0].id, "chip-1-session-2");
  EXPECT_EQ(sessions[0].session.exit.text(), exit);
}

TEST(Gateway, WithoutASessionTheExitRotates) {
  Simulator simulator;
  EXPECT_NE(exit_of(simulator, ""), exit_of(simulator, ""));
}

TEST(Gateway, AnIdleSessionGetsAnotherExit) {
  SimulatorOptions options;
  options.sessions.idle = Milliseconds(1);
  Simulator simulator(options);
  const auto exit = exit_of(simulator, "a");
  ASSERT_TRUE(simulator.wait_until([&](const Stats&) { return simulator.sessions().empty(); }));
  EXPECT_NE(exit_of(simulator, "a"), exit);
}

TEST(Gateway, WrongCredentialsAre407WithTheReason) {
  Simulator simulator;
  Client client(simulator.ports().http);
  client.say("CONNECT a.sim:80 HTTP/1.1\r\nHost: a.sim\r\n" + credentials("a", "wrong") + "\r\n");
  const auto heard = client.hear_to_end();
  EXPECT_TRUE(heard.bytes.starts_with("HTTP/1.1 407 "));
  EXPECT_NE(heard.bytes.find("Proxy-Authenticate: Basic"), std::string::npos);
  EXPECT_NE(heard.bytes.find("X-Error-Description: wrong password"), std::string::npos);
  EXPECT_EQ(heard.end, StreamEnd::fin);
  EXPECT_EQ(simulator.stats().auth_failures, 1U);
}

TEST(Gateway, WhatIsNotHttpIs400) {
  Simulator simulator;
  Client client(simulator.ports().http);
  client.say("this is : not a request\r\n\r\n");
  EXPECT_TRUE(client.hear_to_end().bytes.starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(simulator.stats().malformed, 1U);
}

TEST(Gateway, ForwardsAbsoluteFormWithKeepAliveAndWithoutCredentials) {
  Simulator simulator;
  Client client(simulator.ports().http);
  client.say(get("http://exit-ip.sim/headers", credentials("a")));
  const auto head = client.hear_until("\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 "));
  const auto seen = client.hear_until("\r\n\r\n");
  EXPECT_TRUE(seen.starts_with("GET /headers HTTP/1.1\r\n")) << seen;
  EXPECT_EQ(seen.find("Proxy-Authorization"), std::string::npos);
  client.say(get("http://exit-ip.sim/chunked/2", credentials("a")));
  EXPECT_NE(client.hear_until("0\r\n\r\n").find("chunked"), std::string::npos);
  client.say(
      fmt::format("POST http://other.sim/x HTTP/1.1\r\nHost: x\r\n{}Content-Length: 5\r\n\r\n12345", credentials("a")));
  EXPECT_TRUE(client.hear_until("5\n").ends_with("\r\n\r\n5\n"));
  EXPECT_EQ(simulator.stats().requests, 3U);
}

TEST(Gateway, Socks5LeavesByTheSameExitAsHttp) {
  Simulator simulator;
  Client client(simulator.ports().socks5);
  EXPECT_EQ(open_socks(client, "exit-ip.sim", 80, "a"), 0U);
  client.say(get("/", "Connection: close\r\n"));
  const auto answer = client.hear_to_end().bytes;
  EXPECT_TRUE(answer.ends_with(exit_of(simulator, "a") + "\n")) << answer;
}

TEST(Gateway, Socks5RefusesWrongPasswordsAndOtherCommands) {
  Simulator simulator;
  Client wrong(simulator.ports().socks5);
  wrong.say(std::string("\x05\x01\x02\x01\x04user\x02no", 12));
  const auto heard = wrong.hear_to_end();
  EXPECT_EQ(heard.bytes, std::string("\x05\x02\x01\x01", 4));
  Client anonymous(simulator.ports().socks5);
  anonymous.say(std::string("\x05\x01\x00", 3));
  EXPECT_EQ(anonymous.hear_to_end().bytes, "\x05\xff");
  Client bind(simulator.ports().socks5);
  bind.say(std::string("\x05\x01\x02\x01\x04user\x04pass\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x50", 24));
  const auto reply = bind.hear_to_end().bytes;
  ASSERT_GE(reply.size(), 6U);
  EXPECT_EQ(reply[5], 7);
}

TEST(Gateway, SpeaksTlsWithACertificateOfItsAuthority) {
  Simulator simulator;
  for (const auto* name : {"localhost", "127.0.0.1", "gateway.sim"}) {
    Client client(simulator.ports().https);
    ASSERT_TRUE(client.start_tls(name, simulator.ca_pem())) << name;
    client.say(connect_request("echo.sim:7", "a"));
    EXPECT_TRUE(client.hear_until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
    client.say("over tls");
    EXPECT_EQ(client.hear_exactly(8), "over tls");
    client.end_writing();
    EXPECT_EQ(client.hear_to_end().end, StreamEnd::fin);
  }
}

TEST(Origin, HasACertificateForEveryName) {
  Simulator simulator;
  for (const auto* name : {"exit-ip.sim", "web.whatsapp.com", "192.0.2.7"}) {
    auto tunnel = open_tunnel(simulator, fmt::format("{}:443", name), "a");
    ASSERT_TRUE(tunnel.start_tls(name, simulator.ca_pem())) << name;
    tunnel.say(get("/json", "Connection: close\r\n"));
    EXPECT_NE(tunnel.hear_to_end().bytes.find("{\"ip\":\"127.20."), std::string::npos);
  }
}

TEST(Origin, ForwardsHalfCloseBothWays) {
  Simulator simulator;
  auto tunnel = open_tunnel(simulator, "halfclose.sim:13", "a");
  tunnel.say("stressed");
  tunnel.end_writing();
  const auto heard = tunnel.hear_to_end();
  EXPECT_EQ(heard.bytes, "desserts");
  EXPECT_EQ(heard.end, StreamEnd::fin);
}

TEST(Origin, SendsAndCountsMuch) {
  Simulator simulator;
  constexpr std::size_t much = 3'000'000;
  auto source = open_tunnel(simulator, fmt::format("{}.source.sim:19", much), "a");
  const auto heard = source.hear_to_end();
  EXPECT_EQ(heard.end, StreamEnd::fin);
  ASSERT_EQ(heard.bytes.size(), much);
  for (std::size_t i = 0; i < much; i += 9973) EXPECT_EQ(static_cast<unsigned char>(heard.bytes[i]), i % 251);
  auto sink = open_tunnel(simulator, "sink.sim:9", "a");
  sink.say(heard.bytes);
  sink.end_writing();
  EXPECT_EQ(sink.hear_to_end().bytes, "3000000\n");
}

TEST(Origin, TakesEarlyBytesThatCameWithTheConnect) {
  Simulator simulator;
  Client client(simulator.ports().http);
  client.say(connect_request("echo.sim:7", "a") + "early");
  client.hear_until("\r\n\r\n");
  EXPECT_EQ(client.hear_exactly(5), "early");
}

TEST(Origin, LogsWhatItReallySaw) {
  Simulator simulator;
  const auto exit = exit_of(simulator, "a");
  ASSERT_TRUE(simulator.wait_until([&](const Stats&) {
    const auto log = simulator.log();
    return !log.empty() && log.back().event == LogEvent::closed;
  }));
  const auto log = simulator.log();
  ASSERT_GE(log.size(), 4U);
  EXPECT_EQ(log.front().event, LogEvent::opened);
  EXPECT_TRUE(std::ranges::all_of(log, [&](const LogEntry& entry) {
    return entry.who->source.text() == exit && entry.who->target == "exit-ip.sim:80" && entry.who->session == "a";
  }));
  EXPECT_TRUE(simulator.log(log.back().seq).empty());
}

TEST(Simulator, IsStillAskedAfterItsEnd) {
  Simulator simulator;
  auto tunnel = open_tunnel(simulator, "echo.sim:7", "a");
  simulator.stop();
  EXPECT_NE(tunnel.hear_to_end().end, StreamEnd::limit);
  EXPECT_EQ(simulator.stats().tunnels_open, 0U);
  EXPECT_EQ(simulator.sessions().size(), 1U);
}

TEST(Origin, TellsWhoCamePastTheGateway) {
  Simulator simulator;
  Client direct(simulator.ports().origin);
  direct.say(get("/", "Connection: close\r\n"));
  EXPECT_TRUE(direct.hear_to_end().bytes.ends_with("127.0.0.1\n"));
  EXPECT_EQ(simulator.stats().origin_direct, 1U);
  EXPECT_EQ(simulator.log().front().who->target, "direct");
  EXPECT_EQ(simulator.log().front().who->session, "");
}

TEST(Api, MovesDuplicatesAndEndsSessions) {
  Simulator simulator;
  const auto first = exit_of(simulator, "a");
  EXPECT_EQ(call_api(simulator, "POST", "/sessions/a/move", R"({"to":"127.20.0.99"})").status, 200U);
  EXPECT_EQ(exit_of(simulator, "a"), "127.20.0.99");
  EXPECT_EQ(call_api(simulator, "POST", "/sessions/a/move", R"({"to":"192.0.2.1"})").status, 400U);
  EXPECT_EQ(call_api(simulator, "POST", "/sessions/b/duplicate_of", R"({"session":"a"})").status, 200U);
  EXPECT_EQ(exit_of(simulator, "b"), "127.20.0.99");
  EXPECT_EQ(call_api(simulator, "DELETE", "/sessions/a").status, 200U);
  EXPECT_NE(exit_of(simulator, "a"), "127.20.0.99");
  EXPECT_EQ(call_api(simulator, "DELETE", "/sessions/nobody").status, 404U);
  EXPECT_NE(call_api(simulator, "GET", "/sessions").body.find(R"("session":"b","exit":"127.20.0.99")"),
            std::string::npos);
}

TEST(Api, MapsATargetToAnotherServer) {
  Simulator simulator;
  const auto to = fmt::format(R"({{"target":"web.whatsapp.com:443","to":"{}"}})", simulator.ports().origin.text());
  EXPECT_EQ(call_api(simulator, "POST", "/map", to).status, 200U);
  auto tunnel = open_tunnel(simulator, "web.whatsapp.com:443", "a");
  tunnel.say(get("/", "Connection: close\r\n"));
  EXPECT_NE(tunnel.hear_to_end().bytes.find("127.20."), std::string::npos);
}

TEST(Api, KnowsItsRoutes) {
  Simulator simulator;
  EXPECT_EQ(call_api(simulator, "GET", "/nothing").status, 404U);
  EXPECT_EQ(call_api(simulator, "PUT", "/stats").status, 405U);
  EXPECT_EQ(call_api(simulator, "GET", "/stats").status, 200U);
  EXPECT_NE(call_api(simulator, "GET", "/ports").body.find(R"("ready":true)"), std::string::npos);
  EXPECT_EQ(call_api(simulator, "GET", "/log?since=x").status, 400U);
}

}  // namespace
}  // namespace chipgate::sim::test
