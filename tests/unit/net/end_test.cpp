// What an end remembers of its readiness, over real TCP.
#include "chipgate/net/end.hpp"

#include "unit/support/loopback.hpp"
#include "unit/support/shard_test.hpp"

#include <fcntl.h>
#include <vector>

namespace chipgate::net {
namespace {

using test::Peer;
using test::settle;
using test::tcp_pair;

class EndTest : public test::ShardTest {
 protected:
  struct Link {
    EndPtr end;
    Peer& peer;
  };

  Link link(int window = 0) {
    auto pair = tcp_pair(window);
    auto end = shard().set().add(std::move(pair.ours));
    return {std::move(end), peer(std::move(pair.theirs))};
  }

  // What the end gives until it says that there is nothing, without another look at the set.
  static std::string drain(End& end, std::size_t room_size = 32 * 1024) {
    std::string all;
    std::vector<char> room(room_size);
    while (end.readable()) {
      const auto outcome = end.read(room);
      if (outcome.status != IoStatus::moved) break;
      all.append(room.data(), outcome.bytes);
    }
    return all;
  }
};

TEST_F(EndTest, AShortReadBeforeAFinKeepsTheEndOfTheStream) {
  auto [end, peer] = link();
  peer.send("hello");
  peer.finish();
  ASSERT_TRUE(until([&] { return end->hung_up(); }));
  std::array<char, 64> room;
  const auto first = end->read(room);
  ASSERT_EQ(first.status, IoStatus::moved);
  ASSERT_EQ(first.bytes, 5U);
  // The edge of the FIN has been delivered, and no other will come.
  ASSERT_TRUE(end->readable());
  EXPECT_EQ(end->read(room).status, IoStatus::eof);
}

TEST_F(EndTest, AFinThatComesAfterAShortReadIsAnEdgeOfItsOwn) {
  auto [end, peer] = link();
  peer.send("hello");
  ASSERT_TRUE(until([&] { return end->readable(); }));
  EXPECT_EQ(drain(*end), "hello");
  EXPECT_FALSE(end->readable());
  peer.finish();
  ASSERT_TRUE(until([&] { return end->readable(); }));
  std::array<char, 64> room;
  EXPECT_EQ(end->read(room).status, IoStatus::eof);
}

TEST_F(EndTest, AShortReadSavesTheCallThatWouldSayEagain) {
  auto [end, peer] = link();
  peer.send("hello");
  ASSERT_TRUE(until([&] { return end->readable(); }));
  std::array<char, 64> room;
  EXPECT_EQ(end->read(room).bytes, 5U);
  EXPECT_FALSE(end->readable());
}

TEST_F(EndTest, AReadThatFillsItsRoomSaysNothing) {
  auto [end, peer] = link();
  peer.send("hello");
  ASSERT_TRUE(until([&] { return end->readable(); }));
  std::array<char, 5> room;
  EXPECT_EQ(end->read(room).bytes, 5U);
  EXPECT_TRUE(end->readable());
  EXPECT_EQ(end->read(room).status, IoStatus::would_block);
  EXPECT_FALSE(end->readable());
}

// The kernel ends a read at the urgent mark, in line or not, though more waits behind it.
TEST_F(EndTest, WhatComesBehindAnUrgentByteIsNotLeftBehind) {
  auto [end, peer] = link();
  peer.send("before");
  peer.send_urgent('!');
  peer.send("behind");
  settle(peer.fd());
  std::string all;
  ASSERT_TRUE(until([&] {
    all += drain(*end);
    return all.size() == 13;
  })) << "only \""
      << all << '"';
  EXPECT_EQ(all, "before!behind");
}

TEST_F(EndTest, AnUrgentByteInTheMiddleOfWhatIsReadIsCarried) {
  auto [end, peer] = link();
  std::string all;
  for (int i = 0; i < 20; ++i) {
    peer.send("abc");
    peer.send_urgent('!');
    if (i % 3 == 0) quiesce();
    peer.send("def");
  }
  ASSERT_TRUE(until([&] {
    all += drain(*end, 7);
    return all.size() == 140;
  })) << all.size();
}

TEST_F(EndTest, WritableComesBackWithTheRoom) {
  auto [end, peer] = link(16 * 1024);
  peer.pause_reading();
  ASSERT_TRUE(until([&] { return end->writable(); }));
  const std::string piece(8 * 1024, 'x');
  std::size_t written = 0;
  // The kernel makes room a few times yet, while it moves what was written.
  while (end->writable()) {
    while (end->writable()) {
      const auto outcome = end->write(piece);
      ASSERT_NE(outcome.status, IoStatus::failed);
      written += outcome.bytes;
    }
    quiesce();
  }
  peer.resume_reading();
  ASSERT_TRUE(until([&] { return end->writable() && peer.received().size() == written; }));
}

TEST_F(EndTest, AResetIsNoFin) {
  auto [end, peer] = link();
  // Unsent bytes and all: the peer is not to believe that it has heard everything.
  ASSERT_TRUE(until([&] { return end->writable(); }));
  reset(std::move(end));
  ASSERT_TRUE(until([&] { return peer.ended(); }));
  EXPECT_EQ(peer.error(), ECONNRESET);
}

TEST_F(EndTest, DroppingAnEndIsAFin) {
  auto [end, peer] = link();
  ASSERT_TRUE(until([&] { return end->writable(); }));
  end->write("bye");
  end.reset();
  ASSERT_TRUE(until([&] { return peer.ended(); }));
  EXPECT_TRUE(peer.eof());
  EXPECT_EQ(peer.received(), "bye");
}

TEST_F(EndTest, ShutWriteLeavesTheOtherDirectionOpen) {
  auto [end, peer] = link();
  EXPECT_EQ(end->shut_write().status, IoStatus::moved);
  ASSERT_TRUE(until([&] { return peer.eof(); }));
  peer.send("still here");
  ASSERT_TRUE(until([&] { return end->readable(); }));
  EXPECT_EQ(drain(*end), "still here");
}

TEST_F(EndTest, AResetOfThePeerBreaksTheEnd) {
  auto [end, peer] = link();
  peer.reset();
  ASSERT_TRUE(until([&] { return end->broken(); }));
  std::array<char, 8> room;
  EXPECT_EQ(end->read(room).error, ECONNRESET);
}

TEST_F(EndTest, AFinIsNoBreak) {
  auto [end, peer] = link();
  peer.finish();
  ASSERT_TRUE(until([&] { return end->hung_up(); }));
  EXPECT_FALSE(end->broken());
}

}  // namespace
}  // namespace chipgate::net
