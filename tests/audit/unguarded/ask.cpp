// Asking nobody, where what was dialed is the target itself; and asking without hearing which exit the answer names.
#define ask_http guarded_ask_http
#include "../../../src/gateway/ask.cpp"
#undef ask_http

#include "without.hpp"

namespace chipgate::gateway {

net::Task<Result<Connected>> ask_http(net::Waiter&, net::EndPtr, const Route&, const protocol::Authority&);

net::Task<Result<Connected>> ask_http(net::Waiter& waiter, net::EndPtr upstream, const Route& route,
                                      const protocol::Authority& target) {
  if (unguarded::without("gateway")) {
    Connected connected{};
    connected.upstream = std::move(upstream);
    co_return connected;
  }
  auto connected = co_await guarded_ask_http(waiter, std::move(upstream), route, target);
  if (connected.has_value() && unguarded::without("replies")) connected->exit_address.reset();
  co_return connected;
}

}  // namespace chipgate::gateway
