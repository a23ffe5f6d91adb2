// Relay: the tunnels of a shard, and whose turn it is.
#pragma once

#include "chipgate/net/shard.hpp"
#include "chipgate/relay/options.hpp"
#include "chipgate/relay/tunnel.hpp"
#include "chipgate/telemetry/metrics.hpp"

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <memory>

namespace chipgate::relay {

// An event only puts its tunnel into the run queue. A turn serves freshly woken tunnels before continued ones, moves a
// bounded number of bytes over all of them together, and returns to the io_context: a budget per tunnel would let 32
// bulk flows hold up a new CONNECT for 20 ms and more. What a budget cut off is continued by post, since no edge will
// come for it. One thread.
class Relay {
 public:
  Relay(net::Shard& shard, const RelayOptions& options, telemetry::ShardCounters& counters)
      : shard_(shard), options_(options), counters_(counters) {}
  // Every tunnel has ended before.
  ~Relay() = default;
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  const RelayOptions& options() const { return options_; }

  // Takes the tunnel over; the reference is good until its on_end.
  Tunnel& join(std::unique_ptr<Tunnel> tunnel);
  // Resets both sides at once: a fence, a drain.
  void cut(Tunnel&, ErrorKind why);

 private:
  friend class Tunnel;
  using RunQueue = boost::intrusive::list<Tunnel, boost::intrusive::base_hook<RunQueueHook>,
                                          boost::intrusive::constant_time_size<false>>;

  void woken(Tunnel&);
  void timed(Tunnel&);
  void schedule();
  void turn();
  bool may_go_on(std::size_t spent);
  std::size_t serve(Tunnel&);
  void rearm(Tunnel&);
  void finish(Tunnel&, ErrorKind how, int error);

  net::Shard& shard_;
  RelayOptions options_;
  telemetry::ShardCounters& counters_;
  RunQueue fresh_;
  RunQueue continued_;
  bool scheduled_ = false;
};

}  // namespace chipgate::relay
