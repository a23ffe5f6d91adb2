// A connection's place in the simulator: known to the registry while its coroutine runs, so that it can be ended.
#pragma once

#include "chipgate/net/waiter.hpp"
#include "chipgate/protocol/authority.hpp"
#include "sim/options.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace chipgate::sim {

struct World;
class Connections;

// Lives in its coroutine's frame, before the ends that its waiter watches.
class Connection {
 public:
  explicit Connection(World& world);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  World& world() { return world_; }
  net::Waiter& waiter() { return waiter_; }

  // Its coroutine comes to its end, and then closes as told.
  void end(CloseHow how);
  CloseHow close_how() const { return close_how_; }
  bool over() const { return waiter_.called_off().has_value(); }

  void freeze() {
    frozen_ = true;
    waiter_.wake();
  }
  bool frozen() const { return frozen_; }

  // Once it is an open tunnel of the gateway.
  std::optional<std::string> tunnel_session{};

 private:
  World& world_;
  net::Waiter waiter_;
  CloseHow close_how_ = CloseHow::fin;
  bool frozen_ = false;
};

// All that run. One thread.
class Connections {
 public:
  void add(Connection& one) { all_.insert(&one); }
  void remove(Connection& one) { all_.erase(&one); }

  void end_all();
  // Open tunnels whose session's name has this part; how many.
  std::size_t end_tunnels(std::string_view session, CloseHow how);
  std::size_t freeze_tunnels(std::string_view session);

 private:
  std::set<Connection*> all_;
};

}  // namespace chipgate::sim
