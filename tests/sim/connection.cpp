// The registry of connections.
#include "sim/connection.hpp"

#include "sim/world.hpp"

namespace chipgate::sim {
namespace {

bool is_tunnel_of(const Connection& one, std::string_view session) {
  return one.tunnel_session && one.tunnel_session->find(session) != std::string::npos;
}

}  // namespace

Connection::Connection(World& world) : world_(world), waiter_(world.shard) { world_.connections.add(*this); }
Connection::~Connection() { world_.connections.remove(*this); }

void Connection::end(CloseHow how) {
  if (over()) return;
  close_how_ = how;
  waiter_.call_off(ErrorKind::draining);
}

// Calling off only wakes by post, so nobody leaves the set meanwhile.
void Connections::end_all() {
  for (auto* one : all_) one->end(CloseHow::fin);
}

std::size_t Connections::end_tunnels(std::string_view session, CloseHow how) {
  std::size_t ended = 0;
  for (auto* one : all_) {
    if (!is_tunnel_of(*one, session)) continue;
    one->end(how);
    ++ended;
  }
  return ended;
}

std::size_t Connections::freeze_tunnels(std::string_view session) {
  std::size_t frozen = 0;
  for (auto* one : all_) {
    if (!is_tunnel_of(*one, session)) continue;
    one->freeze();
    ++frozen;
  }
  return frozen;
}

}  // namespace chipgate::sim
