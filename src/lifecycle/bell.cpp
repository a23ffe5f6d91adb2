// Waiting by timers that are cancelled.
#include "chipgate/lifecycle/bell.hpp"

#include <boost/asio/as_tuple.hpp>

namespace chipgate::lifecycle {

void Bell::ring() {
  // A waiter takes itself out only when it is resumed, which is after this.
  for (auto* timer : waiting_) timer->cancel();
}

net::Task<void> Bell::wait_until(TimePoint at) {
  boost::asio::steady_timer timer(context_, at);
  waiting_.push_back(&timer);
  co_await timer.async_wait(boost::asio::as_tuple(net::use_task));
  waiting_.remove(&timer);
}

}  // namespace chipgate::lifecycle
