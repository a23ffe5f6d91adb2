// Client: one connection to a chip's port, from accept to a tunnel or a refusal.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/net/waiter.hpp"
#include "chipgate/proxy/handshake.hpp"
#include "chipgate/proxy/port.hpp"
#include "chipgate/telemetry/access_line.hpp"
#include "chipgate/telemetry/stage_watch.hpp"

#include <optional>
#include <string>

namespace chipgate::proxy {

// Lives in its coroutine's frame, on its port's shard.
class Client : public OpenHook {
 public:
  static net::Task<void> serve(Port& port, net::EndPtr socket, SocketAddress peer);

  // A fence or drain: whatever it waits for fails, and it is told and let go within 200 ms.
  void call_off(ErrorKind why) { waiter_.call_off(why); }
  // By what waits for it to go. Whoever only made room for another client has no part in any assignment, and a flood of
  // them must not hold up a fence.
  bool called_off() const {
    const auto why = waiter_.called_off();
    return why && *why != ErrorKind::too_many_handshakes;
  }

  // Nothing would be lost with it: it has not spoken yet, or waits between two requests or for its refusal.
  bool rests() const { return resting_ || (!refused_ && handshake_.silent()); }
  // It has no part in any assignment: it has not asked for anything yet, or is being refused and holds nothing any
  // more.
  bool apart() const { return refused_ || handshake_.kind() == protocol::RequestKind::none_yet; }

  // --- for the parts of a client's way that have files of their own
  Port& port() { return port_; }
  net::Waiter& waiter() { return waiter_; }
  net::End& socket() { return *socket_; }
  Handshake& handshake() { return handshake_; }
  telemetry::StageWatch& watch() { return watch_; }
  // When it came, or began the request that is being served.
  TimePoint arrived() const { return arrived_; }
  void begins_request() {
    arrived_ = Clock::now();
    watch_.begin_anew();
    watch_.enter(telemetry::Stage::head);
  }

  // Until the chip has a route, within `until`.
  net::Task<Result<gateway::RoutePtr>> hold(TimePoint until);
  // Tells the client no, when and how it takes that best, and writes its line.
  net::Task<void> refuse(Error error);
  void rests(bool resting) { resting_ = resting; }
  // Ends the connection after an answer, so that the answer arrives.
  net::Task<void> linger();
  void reset() { net::reset(std::move(socket_)); }
  // What the log says of this client before its outcome, and whom it is about.
  telemetry::AccessLine line() const;
  void asks_for(const protocol::Authority& target) { target_ = target.text(); }
  void asks_by(std::string_view method) {
    wants_ = method == "HEAD" ? protocol::ResponseTo::head : protocol::ResponseTo::other;
  }
  void goes_by(gateway::RoutePtr route) { route_ = std::move(route); }

 private:
  Client(Port& port, net::EndPtr socket, const SocketAddress& peer);
  ~Client();

  net::Task<void> converse();
  net::Task<Result<void>> hear();
  net::Task<Result<void>> establish(gateway::RoutePtr route, std::optional<IpAddress> exit);
  net::Task<void> open_tunnel();
  net::Task<void> admit(gateway::RoutePtr route, gateway::Connected connected);
  bool allowed() const;
  void watch_for_leaving();

  net::Task<void> pace(ErrorKind why);
  net::Task<void> tell(protocol::RefusalForm form, std::string answer);
  // Likewise, without waiting for more than the answer's acknowledgement.
  net::Task<void> dismiss(protocol::RefusalForm form, std::string answer);
  // Within the waiter's deadline.
  net::Task<void> drop_until_end();
  // Also where the client is called off.
  net::Task<void> acknowledged();

  Port& port_;
  net::Waiter waiter_;
  net::EndPtr socket_;
  SocketAddress peer_;
  TimePoint arrived_;
  telemetry::StageWatch watch_;
  Handshake handshake_;
  // Until it is a tunnel's, or the client is refused.
  std::optional<TunnelPlace> place_;
  gateway::RoutePtr route_;
  std::string target_;
  protocol::ResponseTo wants_ = protocol::ResponseTo::other;
  bool resting_ = false;
  bool refused_ = false;   // so that it holds nothing any more
  bool admitted_ = false;  // it was told that it is through, or part of that
};

}  // namespace chipgate::proxy
