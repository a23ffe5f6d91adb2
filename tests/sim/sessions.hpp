// The provider's sessions, and the exits that they hold out of its pool.
#pragma once

#include "sim/options.hpp"

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace chipgate::sim {

struct Session {
  IpAddress exit;
  TimePoint opened{};
  TimePoint last_used{};
  std::size_t tunnels = 0;
  std::uint64_t connects = 0;
  bool live = false;
};

struct NamedSession {
  std::string id;
  Session session;
};

// 127.20.0.1 and up: loopback addresses, so that an origin on this host really sees different sources.
IpAddress exit_address(std::size_t index);

// Pure: the clock is an argument. A session that ends draws another exit than its last one when it is used again.
class Sessions {
 public:
  explicit Sessions(const SessionRules& rules);

  // Of a session, opening it where it is not live; counts as use.
  IpAddress exit_for(const std::string& id, TimePoint now);
  IpAddress rotating_exit();

  void touch(const std::string& id, TimePoint now);
  void tunnel_opened(const std::string& id);
  void tunnel_closed(const std::string& id);

  // Opens the session where it is not live: a test may decide an exit before its first use.
  void move(const std::string& id, const IpAddress& to, TimePoint now);
  // To the next exit of the pool; what it is now.
  IpAddress move_on(const std::string& id, TimePoint now);
  // false: there is no such session to share the exit of.
  bool duplicate(const std::string& id, const std::string& of, TimePoint now);
  bool end(const std::string& id, TimePoint now);

  // The live ones.
  std::vector<NamedSession> list(TimePoint now);

 private:
  void expire(Session& session, TimePoint now);
  void release(Session& session);
  void open(Session& session, const IpAddress& exit, TimePoint now);
  IpAddress draw(const IpAddress& but_not, TimePoint now);

  SessionRules rules_;
  std::map<std::string, Session> sessions_;
  std::map<IpAddress, std::size_t> holders_;  // live sessions of each exit that has any
  std::size_t next_ = 0;
  std::mt19937_64 random_;
};

}  // namespace chipgate::sim
