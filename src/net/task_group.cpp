// Starting and counting coroutines.
#include "chipgate/net/task_group.hpp"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

namespace chipgate::net {

void TaskGroup::spawn(Task<void> task) {
  ++running_;
  boost::asio::co_spawn(context_.get_executor(), std::move(task), [this](const std::exception_ptr& error) {
    finished();
    if (error) std::rethrow_exception(error);
  });
}

void TaskGroup::on_empty(std::function<void()> callback) {
  on_empty_ = std::move(callback);
  if (running_ == 0) std::exchange(on_empty_, nullptr)();
}

void TaskGroup::finished() {
  --running_;
  if (running_ == 0 && on_empty_) std::exchange(on_empty_, nullptr)();
}

}  // namespace chipgate::net
