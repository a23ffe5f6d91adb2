// Worker: a thread, and a queue of what it is to do.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <utility>
#include <vector>

namespace chipgate::ledger {

template <class Job>
class Worker {
 public:
  using Jobs = std::vector<std::unique_ptr<Job>>;
  // Called on the thread with all that is queued, in the order in which it came.
  using Serve = std::function<void(const Jobs&)>;

  // The name is what ps and top show, of at most 15 characters.
  Worker(const char* name, Serve serve) : serve_(std::move(serve)), thread_([this] { work(); }) {
    ::pthread_setname_np(thread_.native_handle(), name);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  // What is queued is still done.
  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    asked_.notify_one();
    thread_.join();
  }

  void add(std::unique_ptr<Job> job) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(job));
    }
    asked_.notify_one();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      asked_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      auto jobs = std::exchange(queue_, {});
      lock.unlock();
      serve_(jobs);
      jobs.clear();
      lock.lock();
    }
  }

  Serve serve_;
  std::mutex mutex_;
  std::condition_variable asked_;
  Jobs queue_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace chipgate::ledger
