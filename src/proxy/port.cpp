// A chip's port: who is let in, and how everything is thrown out.
#include "chipgate/proxy/port.hpp"

#include "chipgate/proxy/chip_tunnel.hpp"
#include "chipgate/proxy/client.hpp"

#include <utility>

namespace chipgate::proxy {

Port::Port(ShardParts parts, PortEvents& events, ChipIndex index, const ChipOptions& chip)
    : parts_(parts), events_(events), index_(index), chip_(chip.id.value()), pacer_(parts.options.connect_budget) {}

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
  route_ = std::move(route);
  wanted_ = false;
  for (auto& hold : holds_) hold.waiter.wake();
}

void Port::refuse(const Error& why) {
  wanted_ = false;
  for (auto& hold : holds_) {
    hold.refused = why;
    hold.waiter.wake();
  }
}

void Port::want() {
  if (wanted_) return;
  wanted_ = true;
  events_.on_wanted(index_);
}

void Port::fence(Epoch next, ErrorKind why, std::function<void()> done) {
  epoch_ = next;
  route_.reset();
  wanted_ = false;
  for (auto& client : clients_) client.call_off(why);
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
  leave();
  fence(Epoch(epoch_.value() + 1), why, [] {});
}

// Clients that came after the fence are under the new epoch and may stay.
void Port::finish_fence() {
  if (!fenced_) return;
  for (const auto& client : clients_) {
    if (client.called_off()) return;
  }
  std::exchange(fenced_, nullptr)();
}

void Port::add(Client& client) { clients_.push_back(client); }

void Port::removed(Client& client) {
  client.OpenHook::unlink();
  finish_fence();
}

void Port::add(ChipTunnel& tunnel) { tunnels_.push_back(tunnel); }

void Port::removed(ChipTunnel& tunnel) { tunnel.OpenHook::unlink(); }

std::optional<Place> Port::take_tunnel() {
  if (tunnels_taken_ >= parts_.options.limits.tunnels_per_chip) return std::nullopt;
  return std::optional<Place>(std::in_place, tunnels_taken_, nullptr);
}

std::optional<Place> Port::take_hold() {
  if (holds_taken_ >= parts_.options.limits.held_per_chip) return std::nullopt;
  return std::optional<Place>(std::in_place, holds_taken_, &counters_.clients_held);
}

std::optional<Place> Port::take_pause() {
  if (pauses_taken_ >= parts_.options.limits.held_per_chip) return std::nullopt;
  return std::optional<Place>(std::in_place, pauses_taken_, nullptr);
}

}  // namespace chipgate::proxy
