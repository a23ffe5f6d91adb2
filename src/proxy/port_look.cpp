// A look's way through its port.
#include "chipgate/proxy/port_look.hpp"

#include "chipgate/gateway/look.hpp"

#include <utility>

namespace chipgate::proxy {

PortLook::PortLook(Port& port) : port_(port), waiter_(port.parts().shard) { port_.add(*this); }

PortLook::~PortLook() { port_.removed(*this); }

net::Task<void> PortLook::run(Port& port, gateway::RoutePtr route, protocol::HttpUrl echo, Milliseconds timeout,
                              std::function<void(lifecycle::Looked)> done) {
  PortLook look(port);
  telemetry::StageWatch watch;
  const gateway::Dial dial{look.waiter_, *route, watch, Clock::now() + timeout};
  auto seen = co_await gateway::look(port.parts().dialer, dial, std::move(echo));
  auto& counters = port.parts().counters;
  (seen.address.has_value() ? counters.looks_ok : counters.looks_failed).increment();
  done({std::move(seen.address), seen.bytes_up, seen.bytes_down});
}

}  // namespace chipgate::proxy
