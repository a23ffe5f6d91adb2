// Batches of the set: full ones, ends freed within one, and stopping.
#include "chipgate/net/ready_set.hpp"

#include "unit/support/loopback.hpp"
#include "unit/support/shard_test.hpp"

#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <sys/resource.h>
#include <system_error>
#include <vector>

namespace chipgate::net {
namespace {

using namespace std::chrono_literals;

class Callback final : public Watcher {
 public:
  explicit Callback(std::function<void(End&)> call) : call_(std::move(call)) {}
  void on_ready(End& end) override { call_(end); }

 private:
  std::function<void(End&)> call_;
};

class ReadySetTest : public test::ShardTest {
 protected:
  // More than one batch: local sockets, for only their readiness matters.
  void add_many(std::size_t count, Watcher& watcher) {
    for (std::size_t i = 0; i < count; ++i) {
      std::array<int, 2> fds{};
      ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
      ends_.push_back(shard().set().add(UniqueFd(fds[0])));
      ends_.back()->watch(&watcher);
      others_.emplace_back(fds[1]);
    }
  }

  void TearDown() override {
    ends_.clear();
    others_.clear();
    ShardTest::TearDown();
  }

  std::vector<EndPtr> ends_;
  std::vector<UniqueFd> others_;
};

// Which a client that has heard nothing yet takes for a broken login. A number that is in the set already stands for a
// kernel that watches no more.
TEST_F(ReadySetTest, WhatCannotBeAddedIsResetAndNotClosed) {
  auto pair = test::tcp_pair();
  auto& client = peer(std::move(pair.theirs));
  const int number = pair.ours.get();
  ends_.push_back(shard().set().add(std::move(pair.ours)));
  EXPECT_FALSE(shard().set().add(UniqueFd(number)));
  EXPECT_EQ(errno, EEXIST);
  // The first end still owns that number.
  ASSERT_EQ(::dup2(::fileno(stderr), number), number);
  ASSERT_TRUE(until([&] { return client.ended(); }));
  EXPECT_EQ(client.error(), ECONNRESET);
}

TEST_F(ReadySetTest, AFullBatchIsContinued) {
  std::size_t events = 0;
  Callback watcher([&](End&) { ++events; });
  add_many(1'000, watcher);
  ASSERT_TRUE(until([&] { return events >= 1'000; })) << events;
  quiesce();
  events = 0;
  for (const auto& other : others_) ASSERT_EQ(::write(other.get(), "x", 1), 1);
  ASSERT_TRUE(until([&] { return events >= 1'000; })) << events;
}

TEST_F(ReadySetTest, OtherWorkRunsBetweenTwoFullBatches) {
  std::size_t events = 0;
  Callback watcher([&](End&) { ++events; });
  add_many(1'000, watcher);
  std::vector<std::size_t> seen;
  const std::function<void()> look = [&] {
    seen.push_back(events);
    if (events < 1'000) shard().post(look);
  };
  shard().post(look);
  ASSERT_TRUE(until([&] { return !seen.empty() && seen.back() == 1'000; }));
  std::size_t largest = 0;
  for (std::size_t i = 1; i < seen.size(); ++i) largest = std::max(largest, seen[i] - seen[i - 1]);
  EXPECT_LE(largest, 256U);
}

TEST_F(ReadySetTest, AnEndRetiredByAnEarlierEventOfItsBatchIsLeftAlone) {
  EndPtr first;
  EndPtr second;
  int events = 0;
  // Whichever is told first frees the other one and then itself.
  Callback watcher([&](End& told) {
    ++events;
    auto& own = &told == first.get() ? first : second;
    auto& other = &told == first.get() ? second : first;
    other.reset();
    own.reset();
  });
  auto one = test::tcp_pair();
  auto two = test::tcp_pair();
  auto& a = peer(std::move(one.theirs));
  auto& b = peer(std::move(two.theirs));
  a.send("x");
  b.send("x");
  first = shard().set().add(std::move(one.ours));
  second = shard().set().add(std::move(two.ours));
  first->watch(&watcher);
  second->watch(&watcher);
  ASSERT_TRUE(until([&] { return a.ended() && b.ended(); }));
  EXPECT_EQ(events, 1);
}

TEST_F(ReadySetTest, ADescriptorNumberUsedAgainWithinABatchGetsNoForeignEvent) {
  EndPtr first;
  EndPtr second;
  EndPtr successor;
  auto one = test::tcp_pair();
  auto two = test::tcp_pair();
  auto three = test::tcp_pair();
  std::vector<End*> told;
  Callback successor_watcher([&](End& end) { told.push_back(&end); });
  Callback watcher([&](End& end) {
    auto& other = &end == first.get() ? second : first;
    other.reset();
    // The lowest free number: the one that `other` had.
    successor = shard().set().add(UniqueFd(::fcntl(three.ours.get(), F_DUPFD_CLOEXEC, 0)));
    successor->watch(&successor_watcher);
    end.watch(nullptr);
  });
  auto& a = peer(std::move(one.theirs));
  auto& b = peer(std::move(two.theirs));
  a.send("x");
  b.send("x");
  first = shard().set().add(std::move(one.ours));
  second = shard().set().add(std::move(two.ours));
  first->watch(&watcher);
  second->watch(&watcher);
  quiesce();
  ASSERT_TRUE(successor);
  EXPECT_FALSE(successor->readable());
  EXPECT_TRUE(successor->writable());
  EXPECT_EQ(told, std::vector<End*>{successor.get()});
}

TEST_F(ReadySetTest, StoppingWithinAFullBatchEndsTheShard) {
  bool asked = false;
  Callback watcher([&](End&) {
    if (!std::exchange(asked, true)) shard().stop();
  });
  add_many(600, watcher);
  shard().context().run_for(patience);
  EXPECT_TRUE(shard().context().stopped());
}

TEST_F(ReadySetTest, QuietEndsCostNoProcessorTime) {
  Callback watcher([](End&) {});
  add_many(100, watcher);
  quiesce();
  rusage before{};
  ::getrusage(RUSAGE_THREAD, &before);
  const auto handlers = shard().context().run_for(200ms);
  rusage after{};
  ::getrusage(RUSAGE_THREAD, &after);
  EXPECT_EQ(handlers, 0U);
  const auto micros = [](const timeval& time) { return time.tv_sec * 1'000'000 + time.tv_usec; };
  EXPECT_LT(micros(after.ru_utime) + micros(after.ru_stime) - micros(before.ru_utime) - micros(before.ru_stime),
            20'000);
}

TEST_F(ReadySetTest, EveryClosedDescriptorIsTold) {
  int freed = 0;
  shard().set().on_descriptor_freed([&] { ++freed; });
  Callback watcher([](End&) {});
  add_many(3, watcher);
  ends_.clear();
  EXPECT_EQ(freed, 3);
  shard().set().on_descriptor_freed(nullptr);
}

// The kernel watches no regular file; it says the same where it watches no more sockets.
TEST_F(ReadySetTest, WhatTheKernelDoesNotWatchIsNoEnd) {
  const auto file = [] { return UniqueFd(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)); };
  errno = 0;
  EXPECT_EQ(shard().set().add(file()), nullptr);
  EXPECT_EQ(errno, EPERM);
  EXPECT_THROW((void)shard().set().add_listener(file()), std::system_error);
}

}  // namespace
}  // namespace chipgate::net
