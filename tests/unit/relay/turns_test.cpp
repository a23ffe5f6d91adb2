// Whose turn it is: counted in turns and bytes, never in time.
#include "chipgate/net/listener.hpp"
#include "unit/support/relay_test.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace chipgate::relay {
namespace {

using test::TcpPair;

// Far above what the relay moves in a turn that it shares, and in a visit to one tunnel.
constexpr std::size_t shared_turn = 128 * 1024;
constexpr std::size_t largest_visit = 256 * 1024;

class Turns : public test::RelayTest {
 protected:
  // Local sockets take all of it at once and give no edge afterwards: the relay is never kept waiting.
  static TcpPair local_pair(int room) {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    for (const int fd : fds) test::set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, room);
    return {net::UniqueFd(fds[0]), net::UniqueFd(fds[1])};
  }

  // A download that has arrived whole, to a client with room for all of it.
  Joined& bulk(std::size_t bytes) {
    Sockets sockets{local_pair(static_cast<int>(bytes) * 2), local_pair(static_cast<int>(bytes) * 2)};
    const std::string all(bytes, 'b');
    EXPECT_EQ(::send(sockets.upstream.theirs.get(), all.data(), all.size(), MSG_DONTWAIT),
              static_cast<ssize_t>(all.size()));
    return join(std::move(sockets));
  }

  std::uint64_t turns() const { return counters_.turns.value(); }
  std::size_t carried() const {
    std::size_t sum = 0;
    for (const auto& joined : joined_) sum += joined.record.down;
    return sum;
  }
  // Without the peers, so that nothing but the shard moves.
  bool step_until(const std::function<bool()>& condition) {
    for (int i = 0; i < 100'000; ++i) {
      if (condition()) return true;
      if (shard().context().poll_one() == 0) return condition();
    }
    return false;
  }
};

TEST_F(Turns, ATunnelsFirstEchoIsServedBeside32BulkFlows) {
  auto& quiet = join();
  quiesce();
  for (int i = 0; i < 32; ++i) bulk(1'000'000);
  ASSERT_TRUE(step_until([&] { return carried() > 4'000'000; }));
  quiet.client->send("ping");
  test::settle(quiet.client->fd());
  const auto turns_before = turns();
  const auto carried_before = carried();
  ASSERT_TRUE(step_until([&] { return quiet.record.up == 4; }));
  EXPECT_LE(turns() - turns_before, 2U);
  EXPECT_LE(carried() - carried_before, 2 * (shared_turn + largest_visit));
  EXPECT_LT(carried(), 30'000'000U) << "the load was over before";
}

class Joining final : public net::Acceptor {
 public:
  explicit Joining(std::function<void(net::EndPtr)> join) : join_(std::move(join)) {}
  void on_accept(net::Listener&, net::EndPtr client, const SocketAddress&) override { join_(std::move(client)); }

 private:
  std::function<void(net::EndPtr)> join_;
};

TEST_F(Turns, ANewClientIsAcceptedAndServedBeside32BulkFlows) {
  net::PausedListeners paused(shard(), [] {});
  auto upstream = test::tcp_pair();
  auto upstream_end = shard().set().add(std::move(upstream.ours));
  auto& upstream_peer = peer(std::move(upstream.theirs));
  Joined* joined = nullptr;
  test::Peer* client = nullptr;
  Joining joining([&](net::EndPtr end) {
    joined = &join(*client, upstream_peer, std::move(end), std::move(upstream_end), [](Tunnel&) {});
  });
  auto listening = net::listen_on(test::loopback());
  const auto address = local_address(listening.get());
  const net::Listener listener(shard(), paused, joining, std::move(listening));
  quiesce();
  for (int i = 0; i < 32; ++i) bulk(1'000'000);
  ASSERT_TRUE(step_until([&] { return carried() > 4'000'000; }));
  client = &peer(test::connect_to(address));
  client->send("ping");
  test::settle(client->fd());
  const auto turns_before = turns();
  ASSERT_TRUE(step_until([&] { return joined != nullptr && joined->record.up == 4; }));
  EXPECT_LE(turns() - turns_before, 4U);
  EXPECT_LT(carried(), 30'000'000U) << "the load was over before";
}

TEST_F(Turns, FreshTunnelsComeBeforeContinuedOnes) {
  auto& quiet = join();
  quiesce();
  std::vector<const Joined*> order;
  for (int i = 0; i < 8; ++i) {
    auto& flow = bulk(1'000'000);
    flow.record.on_delivered = [&] { order.push_back(&flow); };
  }
  quiet.record.on_delivered = [&] { order.push_back(&quiet); };
  ASSERT_TRUE(step_until([&] { return carried() > 3'000'000; }));
  quiet.client->send("ping");
  test::settle(quiet.client->fd());
  // Its event is taken in between two turns.
  shard().set().collect();
  order.clear();
  ASSERT_TRUE(step_until([&] { return quiet.record.up == 4; }));
  EXPECT_EQ(order.front(), &quiet);
}

TEST_F(Turns, ContinuedTunnelsTakeTurns) {
  for (int i = 0; i < 4; ++i) bulk(1'000'000);
  ASSERT_TRUE(step_until([&] { return carried() > 2'000'000; }));
  for (const auto& joined : joined_) {
    EXPECT_GT(joined.record.down, 300'000U);
    EXPECT_LT(joined.record.down, 700'000U);
  }
}

TEST_F(Turns, AFlowThatIsAloneTakesLargerTurns) {
  auto& alone = bulk(3'000'000);
  ASSERT_TRUE(step_until([&] { return alone.record.down == 3'000'000; }));
  const auto turns_alone = turns();
  EXPECT_LE(turns_alone, 5U);
  bulk(1'500'000);
  bulk(1'500'000);
  ASSERT_TRUE(step_until([&] { return carried() == 6'000'000; }));
  EXPECT_GT(turns() - turns_alone, 10U);
}

TEST_F(Turns, AFlowThatIsAloneStopsForAnybodysEvent) {
  auto& quiet = join();
  quiesce();
  auto& alone = bulk(3'000'000);
  std::size_t carried_when_sent = 0;
  std::size_t carried_when_served = 0;
  alone.record.on_delivered = [&] {
    if (carried_when_sent != 0 || alone.record.down < 500'000) return;
    carried_when_sent = alone.record.down;
    quiet.client->send("ping");
    test::settle(quiet.client->fd());
  };
  quiet.record.on_delivered = [&] { carried_when_served = alone.record.down; };
  ASSERT_TRUE(step_until([&] { return quiet.record.up == 4; }));
  EXPECT_LE(carried_when_served - carried_when_sent, largest_visit);
}

TEST_F(Turns, AQuietRelayTakesNone) {
  for (int i = 0; i < 10; ++i) join();
  quiesce();
  const auto before = turns();
  shard().context().run_for(std::chrono::milliseconds(100));
  EXPECT_EQ(turns(), before);
}

// Small messages cost system calls rather than bytes, so that the batch of events is what bounds their turn.
TEST_F(Turns, ManySmallMessagesDoNotMakeOneLongTurn) {
  constexpr int count = 1'000;
  std::vector<Joined*> all;
  for (int i = 0; i < count; ++i) all.push_back(&join({local_pair(4'096), local_pair(4'096)}));
  quiesce();
  for (auto* joined : all) joined->client->send("x");
  const auto served = [&] { return std::ranges::count_if(all, [](auto* joined) { return joined->record.up == 1; }); };
  std::ptrdiff_t largest = 0;
  for (auto before = served(); served() < count; before = served()) {
    ASSERT_GT(shard().context().poll_one(), 0U);
    largest = std::max(largest, served() - before);
  }
  EXPECT_LE(largest, 256) << "more than one batch of events";
}

}  // namespace
}  // namespace chipgate::relay
