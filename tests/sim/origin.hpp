// The targets of tunnels: what the simulator's origin does with a connection from an exit.
#pragma once

#include "sim/leg.hpp"
#include "sim/log.hpp"
#include "sim/names.hpp"
#include "sim/world.hpp"

#include <cstdint>

namespace chipgate::sim {

// `from` is the exit's address and port, by which the gateway has said what it wants.
net::Task<void> serve_origin(World& world, net::EndPtr client, SocketAddress from);

// --- for its services

// Everything that the connection carries goes to the log.
class Logged final : public Tap {
 public:
  Logged(OriginLog& log, std::shared_ptr<const Seen> who) : log_(log), who_(std::move(who)) {
    log_.add(who_, LogEvent::opened);
  }
  ~Logged() { log_.add(who_, LogEvent::closed); }
  Logged(const Logged&) = delete;
  Logged& operator=(const Logged&) = delete;

  void came(std::string_view bytes) override { log_.add(who_, LogEvent::in, bytes); }
  void went(std::string_view bytes) override { log_.add(who_, LogEvent::out, bytes); }
  void ended() override { log_.add(who_, LogEvent::eof); }
  void broke() override { log_.add(who_, LogEvent::reset); }
  const Seen& who() const { return *who_; }

 private:
  OriginLog& log_;
  std::shared_ptr<const Seen> who_;
};

net::Task<void> serve_pages(Connection& connection, Leg& client, const Seen& who);
net::Task<void> send_pattern(Connection& connection, Leg& client, std::uint64_t bytes);

}  // namespace chipgate::sim
