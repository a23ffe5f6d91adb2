// How tunnels end: half-closes, resets, early answers, fences.
#include "unit/support/relay_test.hpp"

namespace chipgate::relay {
namespace {

using test::pattern;
using test::same;

class Ending : public test::RelayTest {
 protected:
  bool end(Joined& joined) {
    return until([&] { return joined.ended(); });
  }
  // The tunnel is up before anything is done to it.
  Joined& settled(int client_window = 0, int upstream_window = 0) {
    auto& joined = join(client_window, upstream_window);
    EXPECT_TRUE(echo(joined, "x"));
    joined.client->take_received();
    joined.upstream->take_received();
    return joined;
  }
};

TEST_F(Ending, AClientsHalfCloseLeavesTheAnswerItsWay) {
  auto& joined = settled();
  joined.client->send("request");
  joined.client->finish();
  ASSERT_TRUE(until([&] { return joined.upstream->eof(); }));
  EXPECT_EQ(joined.upstream->received(), "request");
  EXPECT_FALSE(joined.ended());
  const auto answer = pattern(500'000);
  joined.upstream->send(answer).finish();
  ASSERT_TRUE(until([&] { return joined.client->eof(); }));
  EXPECT_TRUE(same(joined.client->received(), answer));
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::client_closed);
  EXPECT_EQ(joined.record.error, 0);
}

TEST_F(Ending, AnUpstreamsHalfCloseLeavesTheClientItsWay) {
  auto& joined = settled();
  joined.upstream->finish();
  ASSERT_TRUE(until([&] { return joined.client->eof(); }));
  EXPECT_FALSE(joined.ended());
  const auto request = pattern(500'000);
  joined.client->send(request).finish();
  ASSERT_TRUE(until([&] { return joined.upstream->eof(); }));
  EXPECT_TRUE(same(joined.upstream->received(), request));
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::upstream_closed);
}

TEST_F(Ending, AFinGoesOnOnlyBehindAllThatWasRead) {
  auto& joined = settled(8 * 1024);
  joined.client->pause_reading();
  const auto bytes = pattern(400'000);
  joined.upstream->send(bytes).finish();
  quiesce();
  EXPECT_GT(held(), 0);
  EXPECT_FALSE(joined.ended());
  joined.client->resume_reading();
  ASSERT_TRUE(until([&] { return joined.client->eof(); }));
  EXPECT_TRUE(same(joined.client->received(), bytes));
}

TEST_F(Ending, AClientsResetReachesTheUpstreamAsAReset) {
  auto& joined = settled();
  quiesce();
  joined.client->reset();
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::client_reset);
  EXPECT_EQ(joined.record.error, ECONNRESET);
  ASSERT_TRUE(until([&] { return joined.upstream->ended(); }));
  EXPECT_EQ(joined.upstream->error(), ECONNRESET);
}

TEST_F(Ending, AnUpstreamsResetReachesTheClientAsAReset) {
  auto& joined = settled();
  quiesce();
  joined.upstream->reset();
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::upstream_reset);
  ASSERT_TRUE(until([&] { return joined.client->ended(); }));
  EXPECT_EQ(joined.client->error(), ECONNRESET);
}

TEST_F(Ending, BytesBeforeAResetStillArrive) {
  auto& joined = settled();
  const auto bytes = pattern(100'000);
  joined.upstream->send(bytes);
  ASSERT_EQ(joined.upstream->unsent(), 0U);
  test::settle(joined.upstream->fd());
  joined.upstream->reset();
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::upstream_reset);
  EXPECT_EQ(joined.record.down, bytes.size() + 1);
  ASSERT_TRUE(until([&] { return joined.client->ended(); }));
  EXPECT_TRUE(same(joined.client->received(), bytes));
}

// A reset would drop what is written and not acknowledged: more than the survivor has room for.
TEST_F(Ending, BytesOnTheirWayToASlowSurvivorAreNotDroppedByItsReset) {
  Sockets sockets{test::tcp_pair(8 * 1024), test::tcp_pair()};
  test::set_option(sockets.client.ours.get(), SOL_SOCKET, SO_SNDBUF, 512 * 1024);
  auto& joined = join(std::move(sockets));
  joined.client->pause_reading();
  const auto bytes = pattern(100'000);
  joined.upstream->send(bytes);
  ASSERT_TRUE(until([&] { return joined.record.down == bytes.size(); }));
  joined.upstream->reset();
  quiesce();
  EXPECT_FALSE(joined.ended());
  joined.client->resume_reading();
  ASSERT_TRUE(until([&] { return joined.client->ended(); }));
  EXPECT_TRUE(same(joined.client->received(), bytes));
  // Not an end: the stream is cut.
  EXPECT_EQ(joined.client->error(), ECONNRESET);
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::upstream_reset);
}

// Part of it is held by the tunnel, part waits unread behind that.
TEST_F(Ending, WhatADeadSenderHadSentReachesASlowReceiverAndThenAReset) {
  auto& joined = settled(8 * 1024);
  joined.client->pause_reading();
  const auto bytes = pattern(90'000);
  joined.upstream->send(bytes);
  quiesce();
  test::settle(joined.upstream->fd());
  ASSERT_EQ(net::unacknowledged(joined.upstream->fd()), 0);
  ASSERT_LT(joined.record.down + static_cast<std::size_t>(held()), bytes.size());
  joined.upstream->reset();
  quiesce();
  EXPECT_FALSE(joined.ended());
  joined.client->resume_reading();
  ASSERT_TRUE(until([&] { return joined.client->ended(); }));
  EXPECT_TRUE(same(joined.client->received(), bytes));
  EXPECT_EQ(joined.client->error(), ECONNRESET);
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::upstream_reset);
}

// Nobody reads from the one that is gone, since the other takes nothing.
TEST_F(Ending, AResetIsSeenBehindAReceiverThatBlocksAndEndsTheTunnelWithinHalfClosed) {
  use({.half_closed = Milliseconds(100)});
  auto& joined = settled(8 * 1024);
  joined.client->pause_reading();
  joined.upstream->send(pattern(2'000'000));
  quiesce();
  ASSERT_GT(held(), 0);
  joined.upstream->reset();
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::upstream_reset);
}

TEST_F(Ending, AClientThatGoesWhileItBlocksIsSeen) {
  auto& joined = settled(8 * 1024);
  joined.client->pause_reading();
  joined.upstream->send(pattern(2'000'000));
  quiesce();
  ASSERT_GT(held(), 0);
  joined.client->reset();
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::client_reset);
  ASSERT_TRUE(until([&] { return joined.upstream->ended(); }));
}

// A server that answers and closes without having read everything resets the connection behind its answer.
TEST_F(Ending, AnEarlyAnswerArrivesAlthoughTheRequestCanNotBeDelivered) {
  for (int i = 0; i < 20; ++i) {
    auto& joined = settled();
    joined.upstream->pause_reading();
    joined.client->send(pattern(50'000));
    quiesce();
    joined.upstream->send("413, and no more of that");
    test::settle(joined.upstream->fd());
    joined.upstream->close();
    joined.client->send(pattern(50'000));
    ASSERT_TRUE(until([&] { return joined.client->ended(); }));
    EXPECT_EQ(joined.client->received(), "413, and no more of that");
    EXPECT_EQ(joined.client->error(), ECONNRESET);
    ASSERT_TRUE(end(joined));
  }
}

TEST_F(Ending, ASideThatIsGoneAfterItsGoodbyeEndsTheTunnelWithoutAnotherByte) {
  auto& joined = settled();
  joined.upstream->finish();
  ASSERT_TRUE(until([&] { return joined.client->eof(); }));
  EXPECT_FALSE(joined.ended());
  // Nothing is read from it any more, and nothing is on its way to it.
  joined.upstream->reset();
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::upstream_closed);
}

TEST_F(Ending, ACutResetsBothSides) {
  auto& joined = settled();
  relay_->cut(*joined.tunnel, ErrorKind::fenced);
  EXPECT_EQ(joined.record.ended, ErrorKind::fenced);
  ASSERT_TRUE(until([&] { return joined.client->ended() && joined.upstream->ended(); }));
  EXPECT_EQ(joined.client->error(), ECONNRESET);
  EXPECT_EQ(joined.upstream->error(), ECONNRESET);
}

TEST_F(Ending, ACutDropsWhatIsHeldAndWhatIsQueuedForATurn) {
  auto& joined = settled(8 * 1024);
  joined.client->pause_reading();
  joined.upstream->send(pattern(2'000'000));
  quiesce();
  ASSERT_GT(held(), 0);
  auto& other = settled();
  other.client->send("x");
  shard().set().collect();  // it is in the run queue now
  relay_->cut(*joined.tunnel, ErrorKind::fenced);
  relay_->cut(*other.tunnel, ErrorKind::fenced);
  EXPECT_EQ(held(), 0);
  quiesce();
}

TEST_F(Ending, BothSidesResetInTheSameInstant) {
  auto& joined = settled();
  joined.client->reset();
  joined.upstream->reset();
  ASSERT_TRUE(end(joined));
}

TEST_F(Ending, BothSidesCloseInTheSameInstant) {
  auto& joined = settled();
  joined.client->send("last words");
  joined.upstream->send("famous");
  joined.client->finish();
  joined.upstream->finish();
  ASSERT_TRUE(end(joined));
  ASSERT_TRUE(until([&] { return joined.client->eof() && joined.upstream->eof(); }));
  EXPECT_EQ(joined.upstream->received(), "last words");
  EXPECT_EQ(joined.client->received(), "famous");
}

}  // namespace
}  // namespace chipgate::relay
