// Drawing exits, and when a session is over.
#include "sim/sessions.hpp"

#include <algorithm>

namespace chipgate::sim {
namespace {

constexpr std::size_t hosts_in_a_block = 254;
constexpr std::size_t largest_pool = 256 * hosts_in_a_block;

}  // namespace

IpAddress exit_address(std::size_t index) {
  return IpAddress::v4({127, 20, static_cast<std::uint8_t>(index / hosts_in_a_block),
                        static_cast<std::uint8_t>(index % hosts_in_a_block + 1)});
}

Sessions::Sessions(const SessionRules& rules) : rules_(rules), random_(rules.seed) {
  rules_.pool = std::clamp<std::size_t>(rules_.pool, 1, largest_pool);
}

IpAddress Sessions::exit_for(const std::string& id, TimePoint now) {
  auto& session = sessions_[id];
  expire(session, now);
  if (!session.live) open(session, draw(session.exit, now), now);
  session.last_used = now;
  ++session.connects;
  return session.exit;
}

IpAddress Sessions::rotating_exit() { return exit_address(next_++ % rules_.pool); }

void Sessions::touch(const std::string& id, TimePoint now) {
  if (const auto found = sessions_.find(id); found != sessions_.end()) found->second.last_used = now;
}

void Sessions::tunnel_opened(const std::string& id) { ++sessions_[id].tunnels; }
void Sessions::tunnel_closed(const std::string& id) { --sessions_[id].tunnels; }

void Sessions::move(const std::string& id, const IpAddress& to, TimePoint now) {
  auto& session = sessions_[id];
  expire(session, now);
  const auto opened = session.live ? session.opened : now;
  if (session.live) release(session);
  open(session, to, now);
  session.opened = opened;
}

IpAddress Sessions::move_on(const std::string& id, TimePoint now) {
  const auto to = draw(sessions_[id].exit, now);
  move(id, to, now);
  return to;
}

bool Sessions::duplicate(const std::string& id, const std::string& of, TimePoint now) {
  const auto found = sessions_.find(of);
  if (found == sessions_.end()) return false;
  expire(found->second, now);
  if (!found->second.live) return false;
  const auto exit = found->second.exit;
  move(id, exit, now);
  return true;
}

bool Sessions::end(const std::string& id, TimePoint now) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return false;
  expire(found->second, now);
  if (!found->second.live) return false;
  release(found->second);
  return true;
}

std::vector<NamedSession> Sessions::list(TimePoint now) {
  std::vector<NamedSession> live;
  for (auto& [id, session] : sessions_) {
    expire(session, now);
    if (session.live) live.push_back({id, session});
  }
  return live;
}

// An absolute lifetime counts from the opening, whatever the session carries.
void Sessions::expire(Session& session, TimePoint now) {
  if (!session.live) return;
  const bool idle = rules_.idle.count() > 0 && now - session.last_used >= rules_.idle;
  const bool old = rules_.lifetime.count() > 0 && now - session.opened >= rules_.lifetime;
  if (idle || old) release(session);
}

// The exit stays written in the session: the next one must differ.
void Sessions::release(Session& session) {
  session.live = false;
  if (--holders_[session.exit] == 0) holders_.erase(session.exit);
}

void Sessions::open(Session& session, const IpAddress& exit, TimePoint now) {
  session.exit = exit;
  session.opened = session.last_used = now;
  session.live = true;
  ++holders_[session.exit];
}

IpAddress Sessions::draw(const IpAddress& but_not, TimePoint now) {
  if (rules_.draw == DrawOrder::random) {
    std::uniform_int_distribution<std::size_t> any(0, rules_.pool - 1);
    const auto index = any(random_);
    const auto drawn = exit_address(index);
    return drawn == but_not ? exit_address((index + 1) % rules_.pool) : drawn;
  }
  if (holders_.size() >= rules_.pool) {
    for (auto& [id, session] : sessions_) expire(session, now);
  }
  for (std::size_t tried = 0; tried < rules_.pool; ++tried) {
    const auto exit = exit_address(next_++ % rules_.pool);
    if (exit != but_not && !holders_.contains(exit)) return exit;
  }
  // Used up: exits are shared, as they are in real pools.
  const auto exit = exit_address(next_++ % rules_.pool);
  return exit == but_not ? exit_address(next_++ % rules_.pool) : exit;
}

}  // namespace chipgate::sim
