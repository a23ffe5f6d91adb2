// What a tunnel may not be quiet for, and that it may be quiet otherwise.
#include "unit/support/relay_test.hpp"

namespace chipgate::relay {
namespace {

using namespace std::chrono_literals;

// For what has to come before a deadline: a loaded machine takes its time.
constexpr auto in_time = 500ms;

class Deadlines : public test::RelayTest {
 protected:
  bool end(Joined& joined) {
    return until([&] { return joined.ended(); });
  }
  void expect_resets(Joined& joined) {
    ASSERT_TRUE(until([&] { return joined.client->ended() && joined.upstream->ended(); }));
  }
};

TEST_F(Deadlines, ATunnelThatWasAnsweredHasNoneByDefault) {
  auto& joined = join();
  EXPECT_FALSE(joined.tunnel->armed());
  ASSERT_TRUE(echo(joined, "x"));
  // The first reply's may still stand, and finds nothing to do.
  relay_->cut(*joined.tunnel, ErrorKind::draining);
  use({.first_reply = in_time});
  auto& quick = join();
  ASSERT_TRUE(echo(quick, "x"));
  ASSERT_TRUE(until([&] { return !quick.tunnel->armed(); }));
  shard().context().run_for(in_time + 50ms);
  EXPECT_FALSE(quick.ended());
}

TEST_F(Deadlines, IdleTimeoutEndsATunnelThatIsQuiet) {
  use({.idle_timeout = in_time});
  auto& joined = join();
  const auto before_the_last_byte = Clock::now();
  ASSERT_TRUE(echo(joined, "x"));
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::idle_timeout);
  EXPECT_GE(Clock::now() - before_the_last_byte, in_time);
  expect_resets(joined);
  EXPECT_EQ(joined.client->error(), ECONNRESET);
}

TEST_F(Deadlines, BytesOfEitherDirectionPutTheIdleTimeoutOff) {
  use({.idle_timeout = 400ms});
  auto& joined = join();
  ASSERT_TRUE(echo(joined, "x"));
  for (int i = 0; i < 8; ++i) {
    ASSERT_FALSE(until([&] { return joined.ended(); }, 100ms));
    (i % 2 == 0 ? joined.client : joined.upstream)->send("x");
  }
  EXPECT_FALSE(joined.ended());
  ASSERT_TRUE(end(joined));
}

TEST_F(Deadlines, AClientThatNeverGetsAByteIsReset) {
  use({.first_reply = 60ms});
  auto& joined = join();
  joined.client->send("hello?");
  const auto sent = Clock::now();
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::first_reply_timeout);
  EXPECT_GE(Clock::now() - sent, 60ms);
  expect_resets(joined);
  EXPECT_EQ(joined.client->error(), ECONNRESET);
}

TEST_F(Deadlines, AClientThatSaysNothingMayWaitForEver) {
  use({.first_reply = 20ms});
  auto& joined = join();
  shard().context().run_for(80ms);
  EXPECT_FALSE(joined.ended());
  EXPECT_FALSE(joined.tunnel->armed());
}

TEST_F(Deadlines, EarlyBytesOfTheClientCountAsSaid) {
  use({.first_reply = 40ms});
  auto& joined =
      join({test::tcp_pair(), test::tcp_pair()}, [](Tunnel& tunnel) { tunnel.prepend(Direction::up, "early"); });
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::first_reply_timeout);
}

TEST_F(Deadlines, EarlyBytesOfTheUpstreamCountAsAReply) {
  use({.first_reply = in_time});
  auto& joined =
      join({test::tcp_pair(), test::tcp_pair()}, [](Tunnel& tunnel) { tunnel.prepend(Direction::down, "banner"); });
  joined.client->send("hello?");
  ASSERT_FALSE(until([&] { return joined.ended(); }, in_time + 100ms));
}

TEST_F(Deadlines, AHalfClosedTunnelIsBounded) {
  for (const bool client_first : {true, false}) {
    use({.half_closed = in_time});
    auto& joined = join();
    ASSERT_TRUE(echo(joined, "x"));
    (client_first ? joined.client : joined.upstream)->finish();
    const auto& survivor = client_first ? *joined.upstream : *joined.client;
    ASSERT_TRUE(until([&] { return survivor.eof(); }));
    EXPECT_FALSE(joined.ended());
    ASSERT_TRUE(end(joined));
    EXPECT_EQ(joined.record.ended, ErrorKind::half_closed_timeout);
  }
}

TEST_F(Deadlines, AHalfClosedTunnelThatCarriesBytesGoesOn) {
  use({.half_closed = 400ms});
  auto& joined = join();
  ASSERT_TRUE(echo(joined, "x"));
  joined.client->finish();
  for (int i = 0; i < 8; ++i) {
    ASSERT_FALSE(until([&] { return joined.ended(); }, 100ms));
    joined.upstream->send("more");
  }
  joined.upstream->finish();
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::client_closed);
}

TEST_F(Deadlines, HalfClosedAppliesBeforeAnIdleTimeoutThatIsLonger) {
  use({.idle_timeout = 1h, .half_closed = 40ms});
  auto& joined = join();
  ASSERT_TRUE(echo(joined, "x"));
  joined.client->finish();
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::half_closed_timeout);
}

// Neither will ever say another word, but one does not take what is held for it.
TEST_F(Deadlines, ATunnelWhoseSidesHaveBothEndedIsBoundedToo) {
  use({.half_closed = 80ms});
  auto& joined = join(8 * 1024);
  ASSERT_TRUE(echo(joined, "x"));
  joined.client->pause_reading();
  joined.client->finish();
  joined.upstream->send(test::pattern(200'000)).finish();
  ASSERT_TRUE(end(joined));
  EXPECT_EQ(joined.record.ended, ErrorKind::half_closed_timeout);
  EXPECT_EQ(held(), 0);
}

}  // namespace
}  // namespace chipgate::relay
