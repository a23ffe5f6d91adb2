// What the relay keeps for a receiver that is slow, and that it gives it back.
#include "unit/support/relay_test.hpp"

#include <algorithm>

namespace chipgate::relay {
namespace {

using test::pattern;
using test::same;

class Holding : public test::RelayTest {
 protected:
  // Reads in small bites until all has come; the most that was held once the first of it had gone.
  // How much was held at each bite of a receiver that is slow all the time.
  std::vector<std::int64_t> held_while_biting(test::Peer& slow, std::size_t wanted) {
    std::vector<std::int64_t> found;
    EXPECT_TRUE(until([&] {
      slow.read_at_most(3'000);
      if (slow.received().size() > 200'000) found.push_back(held());
      return slow.received().size() == wanted;
    }));
    return found;
  }
};

TEST_F(Holding, ABlockedDirectionHoldsAtMost64KiBAndNothingAfterwards) {
  auto& joined = join(8 * 1024);
  joined.client->pause_reading();
  const auto bytes = pattern(3'000'000);
  joined.upstream->send(bytes).finish();
  quiesce();
  EXPECT_GT(held(), 0);
  EXPECT_LE(held(), 64 * 1024);
  EXPECT_LT(joined.record.down, 200'000U) << "a blocked direction goes on reading";
  joined.client->resume_reading();
  std::int64_t most = 0;
  ASSERT_TRUE(until([&] {
    most = std::max(most, held());
    return joined.client->eof();
  }));
  EXPECT_LE(most, 64 * 1024);
  EXPECT_EQ(held(), 0);
  EXPECT_TRUE(same(joined.client->received(), bytes));
}

TEST_F(Holding, BothDirectionsCount) {
  auto& joined = join(8 * 1024, 8 * 1024);
  joined.client->pause_reading();
  joined.upstream->pause_reading();
  joined.client->send(pattern(2'000'000));
  joined.upstream->send(pattern(2'000'000));
  quiesce();
  EXPECT_GT(held(), 0);
  EXPECT_LE(held(), 2 * 64 * 1024);
}

TEST_F(Holding, ReadsSixteenKibibytesAtATimeAfterAReceiverWasSlow) {
  auto& joined = join(8 * 1024);
  joined.client->pause_reading();
  const auto bytes = pattern(2'000'000);
  joined.upstream->send(bytes);
  quiesce();
  ASSERT_GT(held(), 0);
  const auto found = held_while_biting(*joined.client, bytes.size());
  EXPECT_GT(std::ranges::max(found), 0);
  // A read of 32 KiB would be above it half of the time. A receiver that once took a whole read, because this thread
  // was held up, is believed for one read.
  const auto above = std::ranges::count_if(found, [](std::int64_t bytes_held) { return bytes_held > 16 * 1024; });
  EXPECT_LT(above * 8, static_cast<std::int64_t>(found.size()));
  EXPECT_TRUE(same(joined.client->received(), bytes));
}

TEST_F(Holding, OneSlowReceiverHoldsUpNobodyElse) {
  auto& slow = join(8 * 1024);
  auto& other = join();
  slow.client->pause_reading();
  slow.upstream->send(pattern(2'000'000));
  quiesce();
  // Nor its own other direction.
  slow.client->send("still there?");
  ASSERT_TRUE(until([&] { return slow.upstream->received() == "still there?"; }));
  EXPECT_TRUE(echo(other, "hello"));
}

TEST_F(Holding, ABlockedDirectionCostsNoTurns) {
  auto& joined = join(8 * 1024);
  joined.client->pause_reading();
  joined.upstream->send(pattern(2'000'000));
  quiesce();
  const auto before = counters_.turns.value();
  shard().context().run_for(std::chrono::milliseconds(100));
  // The window's probes may give an edge or two.
  EXPECT_LE(counters_.turns.value() - before, 3U);
}

}  // namespace
}  // namespace chipgate::relay
