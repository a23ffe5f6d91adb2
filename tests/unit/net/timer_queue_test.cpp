// Deadlines in their order, and what callbacks may do with them.
#include "chipgate/net/timer_queue.hpp"

#include <boost/asio/post.hpp>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <vector>

namespace chipgate::net {
namespace {

using namespace std::chrono_literals;

class Alarm final : public Timer {
 public:
  explicit Alarm(std::function<void()> call) : call_(std::move(call)) {}
  void on_timer() override { call_(); }

 private:
  std::function<void()> call_;
};

class TimerQueueTest : public testing::Test {
 protected:
  Alarm alarm(int number) {
    return Alarm([this, number] { fired_.push_back(number); });
  }
  // Until nothing is armed any more.
  void run() { context_.run_for(10s); }

  boost::asio::io_context context_{1};
  TimerQueue queue_{context_};
  std::vector<int> fired_;
};

TEST_F(TimerQueueTest, FiresInTheOrderOfDeadlinesAndOfArmingWhereTheyAreEqual) {
  const auto now = Clock::now();
  auto late = alarm(3);
  auto early = alarm(1);
  auto middle = alarm(2);
  auto same = alarm(4);
  queue_.arm(late, now + 30ms);
  queue_.arm(early, now + 10ms);
  queue_.arm(middle, now + 20ms);
  queue_.arm(same, now + 30ms);
  run();
  EXPECT_EQ(fired_, (std::vector{1, 2, 3, 4}));
  EXPECT_GE(Clock::now(), now + 30ms);
  EXPECT_FALSE(late.armed());
}

TEST_F(TimerQueueTest, NeverFiresBeforeItsTime) {
  const auto at = Clock::now() + 25ms;
  TimePoint fired;
  Alarm one([&] { fired = Clock::now(); });
  Alarm other([] {});
  queue_.arm(other, Clock::now() + 5ms);
  queue_.arm(one, at);
  run();
  EXPECT_GE(fired, at);
}

TEST_F(TimerQueueTest, ArmingAgainMovesBothWays) {
  const auto now = Clock::now();
  auto first = alarm(1);
  auto second = alarm(2);
  queue_.arm(first, now + 5ms);
  queue_.arm(second, now + 10s);
  queue_.arm(first, now + 30ms);
  queue_.arm(second, now + 15ms);
  run();
  EXPECT_EQ(fired_, (std::vector{2, 1}));
}

TEST_F(TimerQueueTest, ACallbackMayDisarmTheNextOneThatIsDue) {
  auto second = alarm(2);
  Alarm first([&] {
    fired_.push_back(1);
    queue_.disarm(second);
  });
  queue_.arm(first, Clock::now() - 2ms);
  queue_.arm(second, Clock::now() - 1ms);
  run();
  EXPECT_EQ(fired_, std::vector{1});
}

TEST_F(TimerQueueTest, ACallbackMayDestroyTheNextOneThatIsDue) {
  auto second = std::make_unique<Alarm>([this] { fired_.push_back(2); });
  Alarm first([&] {
    fired_.push_back(1);
    second.reset();
  });
  queue_.arm(first, Clock::now());
  queue_.arm(*second, Clock::now());
  run();
  EXPECT_EQ(fired_, std::vector{1});
}

TEST_F(TimerQueueTest, ACallbackMayDestroyItsOwnTimer) {
  std::unique_ptr<Alarm> own;
  own = std::make_unique<Alarm>([&] {
    fired_.push_back(1);
    own.reset();
  });
  auto other = alarm(2);
  queue_.arm(*own, Clock::now());
  queue_.arm(other, Clock::now() + 1ms);
  run();
  EXPECT_EQ(fired_, (std::vector{1, 2}));
}

TEST_F(TimerQueueTest, ACallbackMayArmItselfAgainWithoutKeepingOthersOut) {
  int rounds = 0;
  Alarm again([&] {
    if (++rounds < 100) queue_.arm(again, Clock::now());
  });
  bool posted_ran = false;
  int rounds_then = 0;
  queue_.arm(again, Clock::now());
  boost::asio::post(context_, [&] {
    boost::asio::post(context_, [&] {
      posted_ran = true;
      rounds_then = rounds;
    });
  });
  run();
  EXPECT_EQ(rounds, 100);
  EXPECT_TRUE(posted_ran);
  EXPECT_LT(rounds_then, 100);
}

TEST_F(TimerQueueTest, AnEarlierDeadlineIsNotHeldUpByALaterOne) {
  auto late = alarm(2);
  auto early = alarm(1);
  queue_.arm(late, Clock::now() + 10s);
  queue_.arm(early, Clock::now() + 5ms);
  const auto end = Clock::now() + 5s;
  while (fired_.empty() && Clock::now() < end) context_.run_one_for(10ms);
  EXPECT_EQ(fired_, std::vector{1});
  queue_.disarm(late);
}

TEST_F(TimerQueueTest, ADisarmedDeadlineDoesNotHideTheNext) {
  auto gone = alarm(1);
  auto next = alarm(2);
  queue_.arm(gone, Clock::now() + 5ms);
  queue_.arm(next, Clock::now() + 10ms);
  queue_.disarm(gone);
  run();
  EXPECT_EQ(fired_, std::vector{2});
}

TEST_F(TimerQueueTest, AStoppedQueueLetsTheContextRunDry) {
  auto never = alarm(1);
  queue_.arm(never, Clock::now() + 1h);
  queue_.stop();
  auto later = alarm(2);
  queue_.arm(later, Clock::now());
  run();
  EXPECT_TRUE(context_.stopped());
  EXPECT_TRUE(fired_.empty());
}

}  // namespace
}  // namespace chipgate::net
