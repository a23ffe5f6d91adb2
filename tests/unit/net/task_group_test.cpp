// Counting coroutines, and a shard that waits for the last of them.
#include "chipgate/net/task_group.hpp"

#include "chipgate/net/waiter.hpp"
#include "unit/support/shard_test.hpp"

#include <stdexcept>

namespace chipgate::net {
namespace {

using TaskGroupTest = test::ShardTest;

Task<void> sleep_once(Waiter& waiter) { (void)co_await waiter.sleep(); }

Task<void> fail(Waiter& waiter) {
  (void)co_await waiter.sleep();
  throw std::logic_error("a bug");
}

TEST_F(TaskGroupTest, OnEmptyIsCalledAtOnceWhereNoneRuns) {
  bool called = false;
  shard().tasks().on_empty([&] { called = true; });
  EXPECT_TRUE(called);
}

TEST_F(TaskGroupTest, OnEmptyIsCalledWithTheLastOneAndOnce) {
  Waiter one(shard());
  Waiter two(shard());
  shard().tasks().spawn(sleep_once(one));
  shard().tasks().spawn(sleep_once(two));
  EXPECT_EQ(shard().tasks().running(), 2U);
  int called = 0;
  shard().tasks().on_empty([&] { ++called; });
  one.wake();
  quiesce();
  EXPECT_EQ(called, 0);
  two.wake();
  quiesce();
  EXPECT_EQ(called, 1);
  EXPECT_EQ(shard().tasks().running(), 0U);
}

TEST_F(TaskGroupTest, AShardRunsOnUntilItsCoroutinesHaveEnded) {
  Waiter waiter(shard());
  shard().tasks().spawn(sleep_once(waiter));
  quiesce();
  shard().stop();
  quiesce();
  EXPECT_FALSE(shard().context().stopped());
  waiter.call_off(ErrorKind::draining);
  quiesce();
  EXPECT_TRUE(shard().context().stopped());
}

TEST_F(TaskGroupTest, AnEscapedExceptionLeavesRun) {
  Waiter waiter(shard());
  shard().tasks().spawn(fail(waiter));
  quiesce();
  waiter.wake();
  EXPECT_THROW(quiesce(), std::logic_error);
  EXPECT_EQ(shard().tasks().running(), 0U);
}

}  // namespace
}  // namespace chipgate::net
