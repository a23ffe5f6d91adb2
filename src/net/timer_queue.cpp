// Deadlines behind one kernel timer.
#include "chipgate/net/timer_queue.hpp"

namespace chipgate::net {

Timer::~Timer() {
  if (queue_ != nullptr) queue_->disarm(*this);
}

void TimerQueue::arm(Timer& timer, TimePoint at) {
  disarm(timer);
  timer.place_ = queue_.emplace(at, &timer);
  timer.queue_ = this;
  schedule();
}

void TimerQueue::disarm(Timer& timer) {
  if (timer.queue_ == nullptr) return;
  queue_.erase(timer.place_);
  timer.queue_ = nullptr;
}

void TimerQueue::stop() {
  stopped_ = true;
  timer_.cancel();
}

// The kernel's timer is moved only towards an earlier deadline. When a deadline goes, its wake-up finds nothing due and
// schedules the next: cheaper than a system call for each of the many that never fire.
void TimerQueue::schedule() {
  if (stopped_ || queue_.empty()) return;
  const auto first = queue_.begin()->first;
  if (scheduled_ && *scheduled_ <= first) return;
  scheduled_ = first;
  timer_.expires_at(first);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) expire();
  });
}

void TimerQueue::expire() {
  scheduled_.reset();
  const auto now = Clock::now();
  while (!queue_.empty() && queue_.begin()->first <= now) {
    auto& timer = *queue_.begin()->second;
    disarm(timer);
    timer.on_timer();
  }
  schedule();
}

}  // namespace chipgate::net
