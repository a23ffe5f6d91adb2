// Whether every byte arrives, in order, whatever the peers do.
#include "unit/support/relay_test.hpp"

namespace chipgate::relay {
namespace {

using test::pattern;
using test::same;

class Carrying : public test::RelayTest {};

TEST_F(Carrying, BothDirections) {
  auto& joined = join();
  EXPECT_TRUE(echo(joined, "ping"));
  EXPECT_TRUE(echo(joined, "pong"));
  EXPECT_EQ(joined.record.up, 8U);
  EXPECT_EQ(joined.record.down, 8U);
}

TEST_F(Carrying, WhatWaitedBeforeTheTunnelWasJoined) {
  test::RelayTest::Sockets sockets{test::tcp_pair(), test::tcp_pair()};
  ASSERT_EQ(::send(sockets.client.theirs.get(), "early", 5, 0), 5);
  ASSERT_EQ(::send(sockets.upstream.theirs.get(), "bird", 4, 0), 4);
  auto& joined = join(std::move(sockets));
  ASSERT_TRUE(until([&] { return joined.upstream->received() == "early" && joined.client->received() == "bird"; }));
}

// The handshake's waits have taken the edges.
TEST_F(Carrying, WhatBecameReadyWhileNobodyWatched) {
  auto client = test::tcp_pair();
  auto upstream = test::tcp_pair();
  auto client_end = shard().set().add(std::move(client.ours));
  auto upstream_end = shard().set().add(std::move(upstream.ours));
  auto& client_peer = peer(std::move(client.theirs));
  auto& upstream_peer = peer(std::move(upstream.theirs));
  client_peer.send("early");
  upstream_peer.send("bird");
  quiesce();
  join(client_peer, upstream_peer, std::move(client_end), std::move(upstream_end), [](Tunnel&) {});
  ASSERT_TRUE(until([&] { return upstream_peer.received() == "early" && client_peer.received() == "bird"; }));
}

TEST_F(Carrying, EarlyBytesComeFirstInBothDirections) {
  const auto early_up = pattern(300'000);
  auto& joined = join({test::tcp_pair(), test::tcp_pair()}, [&](Tunnel& tunnel) {
    tunnel.prepend(Direction::up, early_up);
    tunnel.prepend(Direction::down, "first ");
  });
  joined.client->send("behind");
  joined.upstream->send("then");
  ASSERT_TRUE(until([&] {
    return joined.upstream->received().size() == early_up.size() + 6 && joined.client->received().size() == 10;
  }));
  EXPECT_TRUE(same(joined.upstream->received(), early_up + "behind"));
  EXPECT_EQ(joined.client->received(), "first then");
  EXPECT_EQ(held(), 0);
}

TEST_F(Carrying, ThirtyMegabytesAndTheirEnd) {
  auto& joined = join();
  const auto bytes = pattern(30'000'000);
  joined.upstream->send(bytes).finish();
  ASSERT_TRUE(until([&] { return joined.client->eof(); })) << joined.client->received().size();
  EXPECT_TRUE(same(joined.client->received(), bytes));
  EXPECT_EQ(joined.record.down, bytes.size());
  joined.client->finish();
  ASSERT_TRUE(until([&] { return joined.ended(); }));
  EXPECT_EQ(joined.record.ended, ErrorKind::upstream_closed);
}

TEST_F(Carrying, MegabytesBothWaysAtOnceThroughSmallWindows) {
  auto& joined = join(32 * 1024, 48 * 1024);
  const auto up = pattern(6'000'000);
  const auto down = pattern(5'000'001);
  joined.client->send(up).finish();
  joined.upstream->send(down).finish();
  ASSERT_TRUE(until([&] { return joined.ended(); }));
  ASSERT_TRUE(until([&] { return joined.client->eof() && joined.upstream->eof(); }));
  EXPECT_TRUE(same(joined.upstream->received(), up));
  EXPECT_TRUE(same(joined.client->received(), down));
}

// No edge comes for what already waits in the kernel: only the relay itself can go on with it.
TEST_F(Carrying, WhatABudgetCutsOffIsContinuedWithoutAnEdge) {
  test::RelayTest::Sockets sockets{test::tcp_pair(), test::tcp_pair()};
  test::set_option(sockets.upstream.ours.get(), SOL_SOCKET, SO_RCVBUFFORCE, 4'000'000);
  test::set_option(sockets.client.theirs.get(), SOL_SOCKET, SO_RCVBUFFORCE, 4'000'000);
  test::set_option(sockets.client.ours.get(), SOL_SOCKET, SO_SNDBUFFORCE, 4'000'000);
  const auto bytes = pattern(1'500'000);
  const int writer = sockets.upstream.theirs.get();
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const auto put = ::send(writer, bytes.data() + sent, bytes.size() - sent, MSG_DONTWAIT);
    if (put <= 0) break;
    sent += static_cast<std::size_t>(put);
    test::settle(writer);
  }
  ::shutdown(writer, SHUT_WR);
  auto& joined = join(std::move(sockets));
  ASSERT_TRUE(until([&] { return joined.client->eof(); })) << joined.client->received().size() << " of " << sent;
  EXPECT_TRUE(same(joined.client->received(), bytes.substr(0, sent)));
  EXPECT_GT(sent, 200'000U) << "too little to meet a budget";
}

TEST_F(Carrying, MoreTunnelsThanABatchHasEvents) {
  for (int i = 0; i < 300; ++i) join();
  quiesce();
  int number = 0;
  for (auto& joined : joined_) joined.client->send("I am " + std::to_string(number++));
  number = 0;
  for (auto& joined : joined_) {
    const auto wanted = "I am " + std::to_string(number++);
    ASSERT_TRUE(until([&] { return joined.upstream->received() == wanted; })) << wanted;
  }
}

// Every one of them needs several turns, and their edges come in full batches.
TEST_F(Carrying, MoreBulkThanABatchHasEvents) {
  for (int i = 0; i < 300; ++i) join();
  quiesce();
  const auto bytes = pattern(200'000);
  for (auto& joined : joined_) joined.upstream->send(bytes).finish();
  for (auto& joined : joined_) {
    ASSERT_TRUE(until([&] { return joined.client->eof(); })) << joined.client->received().size();
    ASSERT_TRUE(same(joined.client->received(), bytes));
  }
}

TEST_F(Carrying, AnUrgentByteStallsNothing) {
  auto& joined = join();
  for (int i = 0; i < 50; ++i) {
    joined.client->send("abc");
    joined.client->send_urgent('!');
    joined.client->send("def");
  }
  joined.client->finish();
  ASSERT_TRUE(until([&] { return joined.upstream->eof(); })) << joined.upstream->received().size();
  EXPECT_EQ(joined.upstream->received().size(), 350U);
}

TEST_F(Carrying, OneByteAtATime) {
  auto& joined = join();
  const auto bytes = pattern(500);
  for (const char byte : bytes) {
    joined.client->send({&byte, 1});
    shard().context().poll();
  }
  ASSERT_TRUE(until([&] { return joined.upstream->received() == bytes; }));
}

}  // namespace
}  // namespace chipgate::relay
