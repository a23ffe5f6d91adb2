// Turns over the ready tunnels of a shard.
#include "chipgate/relay/relay.hpp"

namespace chipgate::relay {
namespace {

// One visit to one tunnel: two full reads, so that bulk flows take turns.
constexpr std::size_t visit_budget = 64 * 1024;
// One turn over all tunnels while anybody else waits: about 0.1 ms of copying.
constexpr std::size_t shared_turn = 128 * 1024;
// One turn of a single flow that nobody waits for: 1 ms at most before the io_context is asked again.
constexpr std::size_t lone_turn = 1024 * 1024;

}  // namespace

Tunnel& Relay::join(std::unique_ptr<Tunnel> owned) {
  auto& tunnel = *owned.release();
  tunnel.relay_ = this;
  tunnel.client_->watch(&tunnel);
  tunnel.upstream_->watch(&tunnel);
  counters_.blocked_bytes.add(static_cast<std::int64_t>(tunnel.held()));
  rearm(tunnel);
  // Its ends may have become ready while nobody watched.
  woken(tunnel);
  return tunnel;
}

void Relay::cut(Tunnel& tunnel, ErrorKind why) {
  tunnel.reset_sockets();
  finish(tunnel, why, 0);
}

void Relay::woken(Tunnel& tunnel) {
  if (tunnel.RunQueueHook::is_linked()) return;
  fresh_.push_back(tunnel);
  schedule();
}

void Relay::timed(Tunnel& tunnel) {
  const auto overdue = tunnel.overdue(options_, Clock::now());
  if (overdue) {
    cut(tunnel, *overdue);
  } else if (tunnel.through()) {
    woken(tunnel);
  } else {
    rearm(tunnel);
  }
}

void Relay::schedule() {
  if (scheduled_) return;
  scheduled_ = true;
  shard_.post([this] {
    scheduled_ = false;
    turn();
  });
}

void Relay::turn() {
  counters_.turns.increment();
  std::size_t spent = 0;
  while (!fresh_.empty() || !continued_.empty()) {
    if (!may_go_on(spent)) break;
    auto& queue = fresh_.empty() ? continued_ : fresh_;
    auto& tunnel = queue.front();
    queue.pop_front();
    spent += serve(tunnel);
  }
  if (!fresh_.empty() || !continued_.empty()) schedule();
}

// Beyond the shared budget only a flow that is alone goes on, and only while the set has nothing for anybody.
bool Relay::may_go_on(std::size_t spent) {
  if (spent < shared_turn) return true;
  if (spent >= lone_turn || !fresh_.empty() || ++continued_.begin() != continued_.end()) return false;
  return shard_.set().collect() == 0;
}

std::size_t Relay::serve(Tunnel& tunnel) {
  const auto held_before = static_cast<std::int64_t>(tunnel.held());
  const bool was_ending = tunnel.half_closed() || tunnel.failed_;
  const bool had_spoken = tunnel.client_spoke_ != TimePoint{};
  const auto service = tunnel.serve(shard_.scratch(), visit_budget);
  counters_.blocked_bytes.add(static_cast<std::int64_t>(tunnel.held()) - held_before);
  if (service.served == Tunnel::Served::ended) {
    tunnel.close_sockets();
    finish(tunnel, tunnel.how_it_ended(), tunnel.failure_.error);
    return service.delivered;
  }
  if (service.served == Tunnel::Served::more && !tunnel.RunQueueHook::is_linked()) continued_.push_back(tunnel);
  // Deadlines only ever move away while bytes flow, and the timer looks again when it fires. These bring one near.
  if (tunnel.through() || was_ending != (tunnel.half_closed() || tunnel.failed_) ||
      had_spoken != (tunnel.client_spoke_ != TimePoint{}))
    rearm(tunnel);
  return service.delivered;
}

void Relay::rearm(Tunnel& tunnel) {
  if (const auto next = tunnel.next_deadline(options_)) {
    shard_.timers().arm(tunnel, *next);
  } else {
    shard_.timers().disarm(tunnel);
  }
}

void Relay::finish(Tunnel& tunnel, ErrorKind how, int error) {
  counters_.blocked_bytes.subtract(static_cast<std::int64_t>(tunnel.held()));
  const std::unique_ptr<Tunnel> owner(&tunnel);
  tunnel.on_end(how, error);
}

}  // namespace chipgate::relay
