// TimerQueue: the deadlines of a shard behind one kernel timer.
#pragma once

#include "chipgate/base/duration.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <optional>

namespace chipgate::net {

class TimerQueue;

// Something with a deadline. Disarms itself when it goes.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  bool armed() const { return queue_ != nullptr; }

 protected:
  virtual void on_timer() = 0;
  ~Timer();

 private:
  friend class TimerQueue;
  TimerQueue* queue_ = nullptr;
  std::multimap<TimePoint, Timer*>::iterator place_;
};

// An unarmed timer costs its 16 bytes; an Asio timer each would cost more than a whole tunnel. One thread.
class TimerQueue {
 public:
  explicit TimerQueue(boost::asio::io_context& context) : timer_(context) {}

  // Arms, or moves where it is armed already.
  void arm(Timer&, TimePoint);
  void disarm(Timer&);
  void stop();

 private:
  void schedule();
  void expire();

  boost::asio::steady_timer timer_;
  std::multimap<TimePoint, Timer*> queue_;
  std::optional<TimePoint> scheduled_;
  bool stopped_ = false;
};

}  // namespace chipgate::net
