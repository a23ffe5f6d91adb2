// The way of a CONNECT, top to bottom.
#include "chipgate/proxy/client.hpp"

#include "chipgate/proxy/chip_tunnel.hpp"
#include "chipgate/proxy/plain_http.hpp"

#include <algorithm>

namespace chipgate::proxy {

net::Task<void> Client::serve(Port& port, net::EndPtr socket, SocketAddress peer) {
  Client client(port, std::move(socket), peer);
  co_await client.converse();
}

Client::Client(Port& port, net::EndPtr socket, const SocketAddress& peer)
    : port_(port),
      waiter_(port.parts().shard),
      socket_(std::move(socket)),
      peer_(peer),
      arrived_(Clock::now()),
      watch_(port.parts().counters),
      handshake_(waiter_, *socket_, port.parts().options.listen) {
  waiter_.guard(socket_.get());
  port_.add(*this);
  port_.parts().counters.handshakes.increment();
}

Client::~Client() {
  port_.parts().counters.handshakes.decrement();
  socket_.reset();
  port_.removed(*this);
}

net::Task<void> Client::converse() {
  const auto& options = port_.parts().options;
  watch_.enter(telemetry::Stage::head);
  waiter_.deadline(arrived_ + options.head_timeout, ErrorKind::head_timeout);
  const auto asked = co_await hear();
  watch_.leave();
  if (handshake_.reader().head_complete()) asks_by(handshake_.reader().head().method);
  watch_for_leaving();
  if (asked.has_error()) co_return co_await refuse(asked.error());
  if (!allowed()) co_return co_await refuse({ErrorKind::client_not_allowed});
  asks_for(handshake_.target());
  // A connection for plain requests costs what a tunnel costs: two descriptors for as long as the client likes.
  auto place = port_.take_tunnel();
  if (place.has_error()) co_return co_await refuse(place.error());
  place_.emplace(std::move(*place));
  if (handshake_.kind() == protocol::RequestKind::absolute) {
    auto behind = co_await serve_plain(*this);
    if (!behind) co_return;
    target_.clear();
    asks_by(behind->reader.head().method);
    const auto understood = handshake_.go_on(std::move(behind->reader), std::move(behind->bytes));
    watch_for_leaving();
    if (understood.has_error()) co_return co_await refuse(understood.error());
    asks_for(handshake_.target());
  }
  co_await open_tunnel();
}

net::Task<Result<void>> Client::hear() {
  Asking asking(waiter_, port_.take_handshake());
  port_.asking().push_back(asking);
  co_return co_await handshake_.run();
}

net::Task<void> Client::open_tunnel() {
  // Before anything is waited for: what is not carried must not cost a draw.
  const auto carried = port_.parts().options.destinations.check(handshake_.target());
  if (carried.has_error()) co_return co_await refuse(carried.error());
  if (port_.crowded(handshake_.target())) co_return co_await refuse({ErrorKind::too_many_whatsapp_sessions});
  const auto& options = port_.parts().options;
  // A client's own patience starts with its request; the budget is counted from the accept, which came before.
  const auto until = arrived_ + options.connect_budget;
  auto held = co_await hold(until);
  if (held.has_error()) co_return co_await refuse(held.error());
  const auto route = route_ = *held;
  if (route->ip_literals == gateway::IpLiterals::refused && handshake_.target().is_ip_literal()) {
    co_return co_await refuse({ErrorKind::ip_literal_refused});
  }

  auto connected = co_await port_.parts().dialer.dial({waiter_, *route, watch_, until}, handshake_.target());
  if (connected.has_error()) {
    port_.gateway_failed(route, connected.error());
    co_return co_await refuse(connected.error());
  }
  co_await admit(route, std::move(*connected));
}

// The last looks before the answer, and after it: whatever was dialed under a fenced route, or leaves by an exit that
// is none of the chip's, must not be used.
net::Task<Result<void>> Client::establish(gateway::RoutePtr route, std::optional<IpAddress> exit) {
  if (!port_.stands(route)) co_return Error{ErrorKind::fenced};
  if (exit && port_.exit_named(*port_.route(), *exit) == gateway::ExitVerdict::other) {
    co_return Error{ErrorKind::fenced, "the gateway names another exit"};
  }
  const auto answer = protocol::established_answer(handshake_.protocol());
  admitted_ = true;
  const auto answered = co_await waiter_.write(*socket_, answer);
  if (answered.has_error()) co_return answered.error();
  if (answered->status == net::IoStatus::failed) co_return Error{ErrorKind::client_gone};
  if (!port_.stands(route)) co_return Error{ErrorKind::fenced};
  co_return Result<void>();
}

net::Task<void> Client::admit(gateway::RoutePtr route, gateway::Connected connected) {
  const auto established = co_await establish(route, connected.exit_address);
  if (established.has_error()) {
    // A refusal takes its time, and nothing may be held upstream meanwhile.
    connected.upstream.reset();
    co_return co_await refuse(established.error());
  }
  port_.pacer().success();
  waiter_.no_deadline();
  waiter_.guard(nullptr);
  TunnelFacts facts{std::move(route),      target_,
                    watch_.times(),        connected.exit_address,
                    handshake_.protocol(), !protocol::is_for_whatsapp(handshake_.target())};
  auto tunnel = std::make_unique<ChipTunnel>(port_, std::move(*place_), std::move(socket_),
                                             std::move(connected.upstream), std::move(facts));
  tunnel->prepend(relay::Direction::up, handshake_.take_early());
  tunnel->prepend(relay::Direction::down, std::move(connected.early));
  port_.parts().relay.join(std::move(tunnel));
}

// Node's destroy() sends a FIN. Whoever ends its side before it is let through, and sent nothing behind its head, can
// never say anything to the target: it has left, and its place is another's.
void Client::watch_for_leaving() {
  const bool tunnel = handshake_.kind() == protocol::RequestKind::connect;
  if (tunnel && !handshake_.has_early()) waiter_.guard(socket_.get(), net::Waiter::Gone::at_end);
}

bool Client::allowed() const {
  const auto& networks = port_.parts().options.listen.allow_clients;
  return networks.empty() ||
         std::ranges::any_of(networks, [&](const Network& network) { return network.contains(peer_.ip); });
}

net::Task<Result<gateway::RoutePtr>> Client::hold(TimePoint until) {
  if (port_.route()) co_return port_.route();
  const auto place = port_.take_hold();
  if (!place) co_return Error{ErrorKind::too_many_held};
  Hold hold(waiter_);
  port_.holds().push_back(hold);
  port_.want();
  watch_.enter(telemetry::Stage::hold);
  waiter_.deadline(until, ErrorKind::no_assignment);
  while (!port_.route()) {
    const auto slept = co_await waiter_.sleep();
    if (hold.refused) co_return *hold.refused;
    if (slept.has_error() && slept.error() == ErrorKind::no_assignment) {
      co_return Error{ErrorKind::no_assignment, std::string(port_.why_held())};
    }
    if (slept.has_error()) co_return slept.error();
  }
  watch_.leave();
  co_return port_.route();
}

}  // namespace chipgate::proxy
