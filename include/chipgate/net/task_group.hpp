// TaskGroup: the coroutines of a shard, counted, so that a shard ends only when all of them have.
#pragma once

#include "chipgate/net/task.hpp"

#include <cstddef>
#include <functional>

namespace chipgate::net {

// The only caller of co_spawn: a detached coroutine would swallow its exceptions. An exception that escapes a coroutine
// is a bug and ends the process through io_context::run.
class TaskGroup {
 public:
  explicit TaskGroup(boost::asio::io_context& context) : context_(context) {}

  void spawn(Task<void> task);
  std::size_t running() const { return running_; }
  // Calls back, on this shard, once none is running; at once where none is.
  void on_empty(std::function<void()> callback);

 private:
  void finished();

  boost::asio::io_context& context_;
  std::size_t running_ = 0;
  std::function<void()> on_empty_;
};

}  // namespace chipgate::net
