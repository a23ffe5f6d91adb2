// Bell: those who wait on the control thread until something of a chip has changed.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/net/task.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>

namespace chipgate::lifecycle {

// One thread. Must outlive those who wait.
class Bell {
 public:
  explicit Bell(boost::asio::io_context& context) : context_(context) {}

  void ring();
  // Until it rings, or the time has come; whoever waits looks again at what it waits for.
  net::Task<void> wait_until(TimePoint);

 private:
  struct Waiting;

  boost::asio::io_context& context_;
  std::list<boost::asio::steady_timer*> waiting_;
};

}  // namespace chipgate::lifecycle
