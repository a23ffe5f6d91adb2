// Callbacks awaited.
#include "chipgate/lifecycle/plane_tasks.hpp"

#include <boost/asio/async_result.hpp>
#include <memory>
#include <utility>

namespace chipgate::lifecycle {
namespace {

// `start` is given a callback to call once. The handler can only be moved, and a std::function must be copied.
template <class... Values, class Start>
auto awaited(Start start) {
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<boost::asio::io_context::executor_type>,
                                     void(Values...)>(
      [start = std::move(start)](auto handler) mutable {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        start([shared](Values... values) { std::move (*shared)(std::move(values)...); });
      },
      net::use_task);
}

}  // namespace

net::Task<Looked> look(DataPlane& plane, ChipIndex chip, gateway::RoutePtr route, protocol::HttpUrl echo,
                       Milliseconds timeout) {
  co_return co_await awaited<Looked>([&](std::function<void(Looked)> done) {
    plane.look(chip, std::move(route), std::move(echo), timeout, std::move(done));
  });
}

net::Task<void> fence(DataPlane& plane, ChipIndex chip, Epoch next, ErrorKind why) {
  co_await awaited<>([&](std::function<void()> done) { plane.fence(chip, next, why, std::move(done)); });
}

net::Task<void> close(DataPlane& plane, ChipIndex chip) {
  co_await awaited<>([&](std::function<void()> done) { plane.close(chip, std::move(done)); });
}

net::Task<std::vector<TunnelView>> tunnels(DataPlane& plane) {
  co_return co_await awaited<std::vector<TunnelView>>(
      [&](std::function<void(std::vector<TunnelView>)> done) { plane.tunnels(std::move(done)); });
}

net::Task<bool> cut(DataPlane& plane, TunnelId tunnel) {
  co_return co_await awaited<bool>([&](std::function<void(bool)> done) { plane.cut(tunnel, std::move(done)); });
}

}  // namespace chipgate::lifecycle
