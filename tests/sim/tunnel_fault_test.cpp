// Faults of open tunnels, and of the gateway below them, as a client sees them.
#include "sim/simulator.hpp"
#include "sim/test_client.hpp"

#include <cerrno>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <system_error>

namespace chipgate::sim::test {
namespace {

// How long silence has to last to be believed.
constexpr Milliseconds silence{100};

Fault tunnel_fault(FaultKind kind) {
  Fault made;
  made.stage = FaultStage::tunnel;
  made.kind = kind;
  return made;
}

TEST(TunnelFault, CutsAfterExactlySoManyBytes) {
  Simulator simulator;
  for (const auto how : {CloseHow::fin, CloseHow::rst}) {
    simulator.clear_faults();
    auto cut = tunnel_fault(FaultKind::cut);
    cut.after_bytes = 10'000;
    cut.how = how;
    simulator.inject(cut);
    auto tunnel = open_tunnel(simulator, "source.sim:19", "a");
    const auto heard = tunnel.hear_to_end();
    EXPECT_EQ(heard.bytes.size(), 10'000U);
    EXPECT_EQ(heard.end, how == CloseHow::fin ? StreamEnd::fin : StreamEnd::reset);
  }
}

TEST(TunnelFault, CutAtOnceFollowsThe200) {
  Simulator simulator;
  simulator.inject(tunnel_fault(FaultKind::cut));
  Client client(simulator.ports().http);
  client.say(connect_request("echo.sim:7", "a"));
  const auto heard = client.hear_to_end();
  EXPECT_TRUE(heard.bytes.starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(heard.end, StreamEnd::reset);
}

TEST(TunnelFault, BlackholeSaysNothingMore) {
  Simulator simulator;
  auto hole = tunnel_fault(FaultKind::blackhole);
  hole.after_bytes = 4;
  simulator.inject(hole);
  auto tunnel = open_tunnel(simulator, "echo.sim:7", "a");
  tunnel.say("12");
  EXPECT_EQ(tunnel.hear_exactly(2), "12");
  tunnel.say("34");
  const auto heard = tunnel.hear_to_end(silence);
  EXPECT_EQ(heard.bytes, "");
  EXPECT_EQ(heard.end, StreamEnd::limit);
}

TEST(TunnelFault, ReapsIdleTunnels) {
  Simulator simulator;
  auto reap = tunnel_fault(FaultKind::idle_reap);
  reap.delay = Milliseconds(50);
  simulator.inject(reap);
  auto tunnel = open_tunnel(simulator, "echo.sim:7", "a");
  const auto before = Clock::now();
  EXPECT_EQ(tunnel.hear_to_end().end, StreamEnd::reset);
  EXPECT_GE(Clock::now() - before, Milliseconds(40));
}

TEST(TunnelFault, ThrottlesStreams) {
  Simulator simulator;
  auto throttle = tunnel_fault(FaultKind::throttle);
  throttle.bytes_per_second = 100'000;
  simulator.inject(throttle);
  auto tunnel = open_tunnel(simulator, "10000.source.sim:19", "a");
  const auto before = Clock::now();
  EXPECT_EQ(tunnel.hear_to_end().bytes.size(), 10'000U);
  EXPECT_GE(Clock::now() - before, Milliseconds(80));
}

TEST(OpenTunnels, AreCutAndFrozenOnDemand) {
  Simulator simulator;
  auto cut = open_tunnel(simulator, "echo.sim:7", "one");
  auto frozen = open_tunnel(simulator, "echo.sim:7", "two");
  ASSERT_TRUE(simulator.wait_until([](const Stats& stats) { return stats.tunnels_open == 2; }));
  EXPECT_EQ(simulator.cut_tunnels("one", CloseHow::rst), 1U);
  EXPECT_EQ(cut.hear_to_end().end, StreamEnd::reset);
  EXPECT_EQ(simulator.freeze_tunnels("two"), 1U);
  frozen.say("anybody?");
  EXPECT_EQ(frozen.hear_to_end(silence).end, StreamEnd::limit);
  frozen.close_with_reset();
  EXPECT_TRUE(simulator.wait_until([](const Stats& stats) { return stats.tunnels_open == 0; }));
}

TEST(OpenTunnels, AResetOfTheClientReachesTheOrigin) {
  Simulator simulator;
  auto tunnel = open_tunnel(simulator, "sink.sim:9", "a");
  tunnel.say("x");
  ASSERT_TRUE(simulator.wait_until([](const Stats& stats) { return stats.tunnels_open == 1; }));
  tunnel.close_with_reset();
  EXPECT_TRUE(simulator.wait_until([&](const Stats&) {
    const auto log = simulator.log();
    return !log.empty() && log.back().event == LogEvent::closed && log[log.size() - 2].event == LogEvent::reset;
  }));
}

TEST(Flapping, NobodyElseIsGivenAPortThatIsClosed) {
  Simulator simulator;
  simulator.gateway_down();
  const net::UniqueFd other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const KernelAddress port(simulator.ports().http);
  EXPECT_EQ(::bind(other.get(), port.get(), port.length), -1);
  EXPECT_EQ(errno, EADDRINUSE);
}

TEST(Flapping, TheGatewayComesBackOnItsPortAndKeepsItsTunnels) {
  Simulator simulator;
  auto tunnel = open_tunnel(simulator, "echo.sim:7", "a");
  for (int i = 0; i < 3; ++i) {
    simulator.gateway_down();
    EXPECT_THROW(Client(simulator.ports().http), std::system_error);
    tunnel.say("x");
    EXPECT_EQ(tunnel.hear_exactly(1), "x");
    simulator.gateway_up();
    open_tunnel(simulator, "echo.sim:7", "b");
  }
  EXPECT_EQ(call_api(simulator, "POST", "/listeners/down", R"({"tunnels":"rst"})").status, 200U);
  EXPECT_EQ(tunnel.hear_to_end().end, StreamEnd::reset);
  EXPECT_EQ(call_api(simulator, "POST", "/listeners/up").status, 200U);
  open_tunnel(simulator, "echo.sim:7", "a");
}

}  // namespace
}  // namespace chipgate::sim::test
