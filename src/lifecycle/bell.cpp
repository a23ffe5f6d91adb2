// Waiting by timers that are cancelled.
#include "chipgate/lifecycle/bell.hpp"

#include <boost/asio/as_tuple.hpp>

namespace chipgate::lifecycle {

// Also where the coroutine is destroyed while it waits: its bell may ring after that.
struct Bell::Waiting {
  Waiting(std::list<boost::asio::steady_timer*>& among, boost::asio::io_context& context, TimePoint at)
      : others(among), timer(context, at) {
    others.push_back(&timer);
  }
  ~Waiting() { others.remove(&timer); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  std::list<boost::asio::steady_timer*>& others;
  boost::asio::steady_timer timer;
};

void Bell::ring() {
  // A waiter takes itself out only when it is resumed, which is after this.
  for (auto* timer : waiting_) timer->cancel();
}

net::Task<void> Bell::wait_until(TimePoint at) {
  Waiting waiting(waiting_, context_, at);
  co_await waiting.timer.async_wait(boost::asio::as_tuple(net::use_task));
}

}  // namespace chipgate::lifecycle
