// Coroutines asleep: what wakes them, and which reason they are given.
#include "chipgate/net/waiter.hpp"

#include "unit/support/loopback.hpp"
#include "unit/support/shard_test.hpp"

#include <thread>
#include <vector>

namespace chipgate::net {
namespace {

using namespace std::chrono_literals;

using test::Peer;

class WaiterTest : public test::ShardTest {
 protected:
  struct Link {
    EndPtr end;
    Peer& peer;
  };

  Link link(int window = 0) {
    auto pair = test::tcp_pair(window);
    auto end = shard().set().add(std::move(pair.ours));
    return {std::move(end), peer(std::move(pair.theirs))};
  }

  // Outcomes land in `results_`: a coroutine borrows nothing else.
  Task<void> read_once(Waiter& waiter, End& end) {
    std::array<char, 64> room;
    auto read = co_await waiter.read(end, room);
    heard_.append(room.data(), read.has_value() ? read->bytes : 0);
    note(std::move(read));
  }
  Task<void> write_all(Waiter& waiter, End& end, const std::string& text) { note(co_await waiter.write(end, text)); }
  Task<void> sleep_once(Waiter& waiter) { note(co_await waiter.sleep()); }
  Task<void> sleep_until(Waiter& waiter, TimePoint at) { note(co_await waiter.sleep_until(at)); }

  template <class T>
  void note(Result<T> result) {
    results_.push_back(result.has_error() ? std::optional(result.error().kind) : std::nullopt);
  }

  bool ended() {
    return until([&] { return !results_.empty(); });
  }

  std::vector<std::optional<ErrorKind>> results_;
  std::string heard_;
};

TEST_F(WaiterTest, ReadsWhatComesLater) {
  auto [end, peer] = link();
  Waiter waiter(shard());
  shard().tasks().spawn(read_once(waiter, *end));
  quiesce();
  EXPECT_TRUE(results_.empty());
  peer.send("hello");
  ASSERT_TRUE(ended());
  EXPECT_EQ(heard_, "hello");
}

TEST_F(WaiterTest, WritesAllToAReaderThatIsSlow) {
  auto [end, peer] = link(8 * 1024);
  peer.pause_reading();
  const auto text = test::pattern(1'000'000);
  Waiter waiter(shard());
  shard().tasks().spawn(write_all(waiter, *end, text));
  quiesce();
  EXPECT_TRUE(results_.empty());
  peer.resume_reading();
  ASSERT_TRUE(until([&] { return peer.received().size() == text.size(); }));
  EXPECT_TRUE(test::same(peer.received(), text));
  ASSERT_TRUE(ended());
}

TEST_F(WaiterTest, AWakeWithoutASleeperIsRemembered) {
  Waiter waiter(shard());
  waiter.wake();
  shard().tasks().spawn(sleep_once(waiter));
  ASSERT_TRUE(ended());
  EXPECT_EQ(results_.front(), std::nullopt);
}

TEST_F(WaiterTest, AWakeIsRememberedOnce) {
  Waiter waiter(shard());
  waiter.wake();
  waiter.wake();
  shard().tasks().spawn(sleep_once(waiter));
  ASSERT_TRUE(ended());
  shard().tasks().spawn(sleep_once(waiter));
  quiesce();
  EXPECT_EQ(results_.size(), 1U);
  waiter.wake();
  ASSERT_TRUE(until([&] { return results_.size() == 2; }));
}

TEST_F(WaiterTest, AWakeNeverResumesInPlace) {
  Waiter waiter(shard());
  shard().tasks().spawn(sleep_once(waiter));
  quiesce();
  waiter.wake();
  waiter.wake();
  EXPECT_TRUE(results_.empty());
  ASSERT_TRUE(ended());
}

TEST_F(WaiterTest, TheDeadlineWinsOverBytesThatCameInTheSameInstant) {
  auto [end, peer] = link();
  Waiter waiter(shard());
  waiter.deadline(Clock::now() + 60ms, ErrorKind::head_timeout);
  shard().tasks().spawn(read_once(waiter, *end));
  shard().context().poll();
  peer.send("too late");
  std::this_thread::sleep_for(65ms);  // both are due when the shard looks
  ASSERT_TRUE(ended());
  EXPECT_EQ(results_.front(), ErrorKind::head_timeout);
  EXPECT_TRUE(heard_.empty());
  waiter.no_deadline();
  shard().tasks().spawn(read_once(waiter, *end));
  ASSERT_TRUE(until([&] { return results_.size() == 2; }));
  EXPECT_EQ(heard_, "too late") << "the bytes are still there";
}

TEST_F(WaiterTest, ADeadlineInThePastFailsTheNextWaitAtOnce) {
  auto [end, peer] = link();
  Waiter waiter(shard());
  waiter.deadline(Clock::now() - 1ms, ErrorKind::gateway_silent);
  shard().tasks().spawn(read_once(waiter, *end));
  ASSERT_TRUE(ended());
  EXPECT_EQ(results_.front(), ErrorKind::gateway_silent);
}

TEST_F(WaiterTest, ADeadlineCanBeMovedAndTakenAway) {
  auto [end, peer] = link();
  Waiter waiter(shard());
  waiter.deadline(Clock::now() + 10ms, ErrorKind::head_timeout);
  const auto at = Clock::now() + 60ms;
  waiter.deadline(at, ErrorKind::gateway_silent);
  shard().tasks().spawn(read_once(waiter, *end));
  ASSERT_TRUE(ended());
  EXPECT_EQ(results_.front(), ErrorKind::gateway_silent);
  EXPECT_GE(Clock::now(), at);
  waiter.no_deadline();
  shard().tasks().spawn(read_once(waiter, *end));
  ASSERT_FALSE(until([&] { return results_.size() == 2; }, 30ms));
  peer.send("x");
  ASSERT_TRUE(until([&] { return results_.size() == 2; }));
  EXPECT_EQ(results_.back(), std::nullopt);
}

TEST_F(WaiterTest, TheFirstReasonForCallingOffStands) {
  Waiter waiter(shard());
  shard().tasks().spawn(sleep_once(waiter));
  quiesce();
  waiter.call_off(ErrorKind::fenced);
  waiter.call_off(ErrorKind::draining);
  ASSERT_TRUE(ended());
  EXPECT_EQ(results_.front(), ErrorKind::fenced);
  // And for good.
  shard().tasks().spawn(sleep_once(waiter));
  ASSERT_TRUE(until([&] { return results_.size() == 2; }));
  EXPECT_EQ(results_.back(), ErrorKind::fenced);
}

TEST_F(WaiterTest, CallingOffReachesAWriterThatIsBlocked) {
  auto [end, peer] = link(8 * 1024);
  peer.pause_reading();
  const std::string text(4'000'000, 'x');
  Waiter waiter(shard());
  shard().tasks().spawn(write_all(waiter, *end, text));
  quiesce();
  waiter.call_off(ErrorKind::fenced);
  ASSERT_TRUE(ended());
  EXPECT_EQ(results_.front(), ErrorKind::fenced);
}

TEST_F(WaiterTest, AGuardedClientsResetEndsWaitsOnOthers) {
  auto [client, client_peer] = link();
  auto [gateway, gateway_peer] = link();
  Waiter waiter(shard());
  waiter.guard(client.get());
  shard().tasks().spawn(read_once(waiter, *gateway));
  quiesce();
  client_peer.send("early bytes do no harm");
  client_peer.finish();
  quiesce();
  EXPECT_TRUE(results_.empty()) << "a half-close is not leaving";
  client_peer.reset();
  ASSERT_TRUE(ended());
  EXPECT_EQ(results_.front(), ErrorKind::client_gone);
}

TEST_F(WaiterTest, AGuardedClientsEndCountsAsLeavingWhereThatIsSaidAndAllIsRead) {
  auto [client, client_peer] = link();
  auto [gateway, gateway_peer] = link();
  Waiter waiter(shard());
  waiter.guard(client.get(), Waiter::Gone::at_end);
  shard().tasks().spawn(read_once(waiter, *gateway));
  client_peer.send("early bytes");
  client_peer.finish();
  quiesce();
  EXPECT_TRUE(results_.empty()) << "there is more to say";
  std::array<char, 64> room;
  EXPECT_EQ(client->read(room).bytes, 11U);
  waiter.wake();
  ASSERT_TRUE(ended());
  EXPECT_EQ(results_.front(), ErrorKind::client_gone);
}

TEST_F(WaiterTest, SleepUntilLastsThroughWakes) {
  Waiter waiter(shard());
  const auto at = Clock::now() + 40ms;
  shard().tasks().spawn(sleep_until(waiter, at));
  for (int i = 0; i < 5; ++i) {
    shard().context().poll();
    waiter.wake();
  }
  ASSERT_TRUE(ended());
  EXPECT_EQ(results_.front(), std::nullopt);
  EXPECT_GE(Clock::now(), at);
}

TEST_F(WaiterTest, TheDeadlineStandsDuringAndAfterASleepUntil) {
  Waiter waiter(shard());
  waiter.deadline(Clock::now() + 500ms, ErrorKind::gateway_silent);
  shard().tasks().spawn(sleep_until(waiter, Clock::now() + 10ms));
  ASSERT_TRUE(ended());
  EXPECT_EQ(results_.front(), std::nullopt);
  shard().tasks().spawn(sleep_once(waiter));
  ASSERT_TRUE(until([&] { return results_.size() == 2; }));
  EXPECT_EQ(results_.back(), ErrorKind::gateway_silent);

  waiter.deadline(Clock::now() + 10ms, ErrorKind::gateway_silent);
  shard().tasks().spawn(sleep_until(waiter, Clock::now() + 1h));
  ASSERT_TRUE(until([&] { return results_.size() == 3; }));
  EXPECT_EQ(results_.back(), ErrorKind::gateway_silent);
}

TEST_F(WaiterTest, AnyEndWakes) {
  auto [one, one_peer] = link();
  auto [two, two_peer] = link();
  Waiter waiter(shard());
  quiesce();
  one->watch(&waiter);
  two->watch(&waiter);
  shard().tasks().spawn(sleep_once(waiter));
  quiesce();
  two_peer.send("x");
  ASSERT_TRUE(ended());
  EXPECT_TRUE(two->readable());
}

}  // namespace
}  // namespace chipgate::net
