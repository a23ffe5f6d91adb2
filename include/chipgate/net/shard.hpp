// Shard: one thread's world: its io_context, its set, its deadlines, its coroutines, its scratch.
#pragma once

#include "chipgate/net/ready_set.hpp"
#include "chipgate/net/task_group.hpp"
#include "chipgate/net/timer_queue.hpp"

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <span>
#include <utility>

namespace chipgate::net {

// Everything but `post` belongs to the one thread that calls `run`.
class Shard {
 public:
  Shard();
  ~Shard();

  boost::asio::io_context& context() { return context_; }
  ReadySet& set() { return set_; }
  TimerQueue& timers() { return timers_; }
  TaskGroup& tasks() { return tasks_; }

  // Borrowed until the next suspension or return to the io_context: nobody keeps bytes here.
  std::span<char> scratch() { return *scratch_; }

  // From any thread.
  template <class Function>
  void post(Function&& function) {
    boost::asio::post(context_, std::forward<Function>(function));
  }

  // Returns after `stop`, when the last coroutine has ended.
  void run();
  // On the shard's thread. Whoever owns coroutines has called them off before.
  void stop();

 private:
  // 32 KiB is where copying is cheapest; larger falls out of the cache.
  static constexpr std::size_t scratch_size = 32 * 1024;

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  ReadySet set_;
  TimerQueue timers_;
  TaskGroup tasks_;
  std::unique_ptr<std::array<char, scratch_size>> scratch_;
};

}  // namespace chipgate::net
