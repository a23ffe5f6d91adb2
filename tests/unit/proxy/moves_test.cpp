// Looks, replies and a move, against the simulated provider.
#include "sim/simulator.hpp"
#include "unit/proxy/plane_test.hpp"

namespace chipgate::proxy {
namespace {

using Moves = PlaneTest;

// A look tells the exit, replies confirm it, and after a move nobody is let through.
TEST_F(Moves, AMoveIsSeenInTheNextReplyAndLetsNobodyThrough) {
  sim::SimulatorOptions simulated;
  simulated.exit_header = "x-brd-ip";
  sim::Simulator provider(simulated);
  auto options = two_shards();
  options.gateway.endpoints = {{gateway::EndpointKind::http, "gateway.test", provider.ports().http.port}};
  Plane plane(options, control_, log_);
  plane.start(*this);
  plane.publish(EndpointIndex(0), std::vector{IpAddress::v4({127, 0, 0, 1})});
  const auto port = plane.listen(ChipIndex(0), id(0), 0).value();
  const auto session = [](std::uint64_t epoch) {
    const provider::Credentials credentials{Secret("user-session-one"), Secret("pass")};
    return gateway::make_route(SessionIdentifier("one"), Epoch(epoch), EndpointIndex(0), credentials,
                               gateway::IpLiterals::carried);
  };
  const auto look = [&](std::uint64_t epoch) {
    std::optional<lifecycle::Looked> looked;
    plane.look(ChipIndex(0), session(epoch), protocol::parse_absolute_url("http://exit-ip.sim/").value(), 10'000ms,
               [&](lifecycle::Looked found) { looked.emplace(std::move(found)); });
    EXPECT_TRUE(until([&] { return looked.has_value(); }));
    return looked->address;
  };
  const auto ask = [&](const std::string& target, const std::function<bool(const test::Peer&)>& enough) {
    test::Peer client(test::connect_to(test::loopback(port)));
    client.send("CONNECT " + target + " HTTP/1.1\r\n\r\nearly");
    EXPECT_TRUE(until([&] {
      client.pump();
      return enough(client);
    }));
    return client.take_received();
  };

  const auto exit = look(1);
  ASSERT_TRUE(exit.has_value());
  plane.open(ChipIndex(0), gateway::with_exits(*session(1), {*exit}, {}));
  const auto welcome = ask("first.sim:7", [](const auto& client) { return client.received().ends_with("early"); });
  EXPECT_TRUE(welcome.starts_with("HTTP/1.1 200")) << welcome;
  ASSERT_TRUE(until([&] { return same_ == std::vector{*exit}; }));

  const auto elsewhere = *IpAddress::parse("127.20.250.250");
  provider.move("one", elsewhere);
  EXPECT_EQ(ask("second.sim:7", [](const auto& client) { return client.ended(); }), "");
  EXPECT_EQ(others_, std::vector{elsewhere});
  for (const auto& entry : provider.log()) {
    EXPECT_FALSE(entry.who->target == "second.sim:7" && entry.event == sim::LogEvent::in)
        << "something was let through";
  }

  bool fenced = false;
  plane.fence(ChipIndex(0), Epoch(2), ErrorKind::fenced, [&] { fenced = true; });
  EXPECT_EQ(look(2).value(), elsewhere) << "a look needs no open route";
  EXPECT_TRUE(until([&] { return fenced; }));
  EXPECT_EQ(look(1).error(), ErrorKind::fenced);
}

}  // namespace
}  // namespace chipgate::proxy
