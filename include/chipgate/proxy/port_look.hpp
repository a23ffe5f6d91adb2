// PortLook: a look at a chip's exit, among what its port has open.
#pragma once

#include "chipgate/lifecycle/data_plane.hpp"
#include "chipgate/net/waiter.hpp"
#include "chipgate/proxy/port.hpp"

#include <functional>

namespace chipgate::proxy {

// Lives in its coroutine's frame, on its port's shard. It takes no place among the chip's tunnels: a chip whose clients
// have taken them all is looked at like any other.
class PortLook : public OpenHook {
 public:
  // `done` is called on the shard, when the connection to the gateway is closed.
  static net::Task<void> run(Port& port, gateway::RoutePtr route, protocol::HttpUrl echo, Milliseconds timeout,
                             std::function<void(lifecycle::Looked)> done);

  void call_off() { waiter_.call_off(ErrorKind::fenced); }
  bool called_off() const { return waiter_.called_off().has_value(); }

 private:
  explicit PortLook(Port& port);
  ~PortLook();

  Port& port_;
  net::Waiter waiter_;
};

}  // namespace chipgate::proxy
