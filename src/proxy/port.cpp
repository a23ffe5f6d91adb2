// A chip's port: who is let in, and how everything is thrown out.
#include "chipgate/proxy/port.hpp"

#include "chipgate/proxy/chip_tunnel.hpp"
#include "chipgate/proxy/client.hpp"
#include "chipgate/proxy/port_look.hpp"

#include <algorithm>
#include <utility>

namespace chipgate::proxy {

Port::Port(ShardParts parts, PortEvents& events, ChipIndex index, std::shared_ptr<PortCounters> counters)
    : parts_(parts),
      events_(events),
      index_(index),
      counters_(std::move(counters)),
      pacer_(parts.options.connect_budget) {}

Port::~Port() = default;

void Port::listen(net::PausedListeners& paused, net::UniqueFd listening) {
  listener_ = std::make_unique<net::Listener>(parts_.shard, paused, *this, std::move(listening));
}

void Port::leave() {
  leaving_ = true;
  listener_.reset();
  for (auto& client : clients_) {
    if (client.rests()) client.call_off(ErrorKind::draining);
  }
}

void Port::on_accept(net::Listener&, net::EndPtr client, const SocketAddress& peer) {
  parts_.counters.accepts.increment();
  parts_.shard.tasks().spawn(Client::serve(*this, std::move(client), peer));
}

void Port::open(gateway::RoutePtr route) {
  if (route->epoch < epoch_) return;  // it crossed a fence on its way
  // What is told under it has not been told yet.
  if (!stands(route)) news_ = {};
  route_ = std::move(route);
  wanted_ = false;
  why_held_ = {};
  for (auto& hold : holds_) hold.waiter.wake();
}

void Port::refuse(const Error& why) {
  wanted_ = false;
  why_held_ = {};
  for (auto& hold : holds_) {
    hold.refused = why;
    hold.waiter.wake();
  }
}

void Port::want() {
  // Those that it was told for may have given up since.
  const bool others_wait = std::next(holds_.begin()) != holds_.end();
  if (wanted_ && others_wait) return;
  wanted_ = true;
  events_.on_wanted(index_);
}

// A client that is on its way with the route finds that it stands no more.
void Port::withhold() { route_.reset(); }

// A client whose request is not complete has no part in the assignment that ends, and one that is being refused has
// given all of it back: neither is reset, since a rotate would hit the very client that waits for the new assignment,
// and SOCKS clients read a reset between greeting and reply as a broken login. Whoever has asked is called off: what it
// is about to be given was meant under the old epoch.
void Port::fence(Epoch next, ErrorKind why, std::function<void()> done) {
  epoch_ = next;
  route_.reset();
  wanted_ = false;
  why_held_ = {};
  for (auto& client : clients_) {
    if (!client.apart()) client.call_off(why);
  }
  for (auto& look : looks_) look.call_off();
  // Cutting unlinks the tunnel from the list.
  while (!tunnels_.empty()) parts_.relay.cut(tunnels_.front(), why);
  if (fenced_) {
    done = [earlier = std::move(fenced_), later = std::move(done)] {
      earlier();
      later();
    };
  }
  fenced_ = std::move(done);
  finish_fence();
}

void Port::drain(ErrorKind why) {
  ended_ = true;
  leave();
  fence(Epoch(epoch_.value() + 1), why, [] {});
  for (auto& client : clients_) client.call_off(why);
}

void Port::close(std::function<void()> done) {
  closed_ = std::move(done);
  drain(ErrorKind::fenced);
  finish_close();
}

// What came after the fence is under the new epoch and may stay.
void Port::finish_fence() {
  if (!fenced_) return;
  const auto goes = [](const auto& one) { return one.called_off(); };
  if (std::ranges::any_of(clients_, goes) || std::ranges::any_of(looks_, goes)) return;
  std::exchange(fenced_, nullptr)();
}

// By post: whoever went last is still on its way out, with a place of this port in its hands.
void Port::finish_close() {
  if (!closed_ || !clients_.empty() || !tunnels_.empty() || !looks_.empty()) return;
  parts_.shard.post(std::exchange(closed_, nullptr));
}

void Port::look(gateway::RoutePtr route, protocol::HttpUrl echo, Milliseconds timeout,
                std::function<void(lifecycle::Looked)> done) {
  if (ended_ || route->epoch < epoch_) {
    parts_.counters.looks_failed.increment();
    done({Error{ErrorKind::fenced}});
    return;
  }
  parts_.shard.tasks().spawn(PortLook::run(*this, std::move(route), std::move(echo), timeout, std::move(done)));
}

std::vector<lifecycle::TunnelView> Port::tunnels() const {
  std::vector<lifecycle::TunnelView> views;
  for (const auto& tunnel : tunnels_) views.push_back(tunnel.view());
  return views;
}

bool Port::cut(lifecycle::TunnelId id) {
  const auto found = std::ranges::find(tunnels_, id, &ChipTunnel::id);
  if (found == tunnels_.end()) return false;
  parts_.relay.cut(*found, ErrorKind::cut_by_operator);
  return true;
}

std::uint32_t Port::whatsapp_sessions() const {
  const auto before = Clock::now() - parts_.options.crowd_age;
  const auto counts = [before](const ChipTunnel& tunnel) {
    return tunnel.leads_to_whatsapp() && tunnel.opened() <= before;
  };
  return static_cast<std::uint32_t>(std::ranges::count_if(tunnels_, counts));
}

bool Port::crowded(const protocol::Authority& target) const {
  const auto most = most_whatsapp_sessions_.value_or(parts_.options.limits.max_whatsapp_sessions);
  return most != 0 && is_whatsapp(target.text()) && whatsapp_sessions() >= most;
}

bool Port::stands(const gateway::RoutePtr& route) const {
  return route_ && route && (route_ == route || (route_->epoch == route->epoch && route_->session == route->session));
}

gateway::ExitVerdict Port::exit_named(const gateway::Route& route, const IpAddress& seen) {
  const auto verdict = gateway::verdict_on(route, seen);
  if (verdict == gateway::ExitVerdict::other) other_exit(route, seen);
  if (verdict == gateway::ExitVerdict::same && same_exit_told_.ask(Clock::now())) {
    events_.on_same_exit(index_, route.epoch, seen);
  }
  return verdict;
}

void Port::other_exit(const gateway::Route& route, const IpAddress& seen) {
  events_.on_other_exit(index_, route.epoch, seen);
}

void Port::gateway_failed(const gateway::RoutePtr& route, const Error& error) {
  if (stands(route) && news_.tells(error.kind, Clock::now())) events_.on_gateway_news(index_, route->epoch, error);
}

void Port::add(Client& client) { clients_.push_back(client); }

void Port::removed(Client& client) {
  client.OpenHook::unlink();
  finish_fence();
  finish_close();
}

void Port::add(ChipTunnel& tunnel) { tunnels_.push_back(tunnel); }

void Port::removed(ChipTunnel& tunnel) {
  tunnel.OpenHook::unlink();
  finish_close();
}

void Port::add(PortLook& look) { looks_.push_back(look); }

void Port::removed(PortLook& look) {
  look.OpenHook::unlink();
  finish_fence();
  finish_close();
}

Result<TunnelPlace> Port::take_tunnel() {
  const auto& limits = parts_.options.limits;
  if (tunnels_taken_ >= limits.tunnels_per_chip) return Error{ErrorKind::too_many_tunnels};
  if (!parts_.all_tunnels.take(limits.tunnels)) return Error{ErrorKind::too_many_tunnels_in_all};
  return TunnelPlace(tunnels_taken_, parts_.all_tunnels);
}

// Whoever is called off gives its place back when it runs next, and is not asked to go twice.
Place Port::take_handshake() {
  if (handshakes_taken_ >= parts_.options.limits.handshakes_per_chip && !asking_.empty()) {
    auto& longest = asking_.front();
    longest.unlink();
    longest.waiter.call_off(ErrorKind::too_many_handshakes);
  }
  return {handshakes_taken_, nullptr};
}

std::optional<Place> Port::take_hold() {
  if (holds_taken_ >= parts_.options.limits.held_per_chip) return std::nullopt;
  return std::optional<Place>(std::in_place, holds_taken_, &counters_->clients_held);
}

std::optional<Place> Port::take_pause() {
  if (pauses_taken_ >= parts_.options.limits.held_per_chip) return std::nullopt;
  return std::optional<Place>(std::in_place, pauses_taken_, nullptr);
}

}  // namespace chipgate::proxy
