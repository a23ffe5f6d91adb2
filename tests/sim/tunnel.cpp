// Carrying a tunnel.
#include "sim/tunnel.hpp"

#include "sim/flow.hpp"
#include "sim/tunnel_fate.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace chipgate::sim {
namespace {

// A bulk tunnel may not keep the others waiting; much smaller turns would be all overhead.
constexpr std::uint64_t turn_bytes = 512 * 1024;

// A frozen leg whose peer ended is kept no longer than this.
constexpr std::chrono::seconds frozen_after_end{60};

// Counted while it lives.
class OpenTunnel {
 public:
  OpenTunnel(Connection& connection, std::optional<std::string> session)
      : connection_(connection), session_(std::move(session)) {
    auto& world = connection_.world();
    connection_.tunnel_session = session_.value_or("");
    ++world.stats.tunnels_opened;
    ++world.stats.tunnels_open;
    if (session_) world.sessions.tunnel_opened(*session_);
  }
  ~OpenTunnel() {
    auto& world = connection_.world();
    connection_.tunnel_session.reset();
    --world.stats.tunnels_open;
    if (session_) world.sessions.tunnel_closed(*session_);
  }
  OpenTunnel(const OpenTunnel&) = delete;
  OpenTunnel& operator=(const OpenTunnel&) = delete;

  void used(TimePoint now) {
    if (session_) connection_.world().sessions.touch(*session_, now);
  }

 private:
  Connection& connection_;
  std::optional<std::string> session_;
};

void reset_both(Leg& client, Leg& exit) {
  close_at_once(client, CloseHow::rst);
  close_at_once(exit, CloseHow::rst);
}

net::Task<void> cut(Connection& connection, Leg& client, Leg& exit, CloseHow how) {
  if (how == CloseHow::rst) {
    reset_both(client, exit);
    co_return;
  }
  exit.end.reset();
  co_await close_gently(connection, client);
}

// Until the client's socket is broken, or its end is long past.
net::Task<void> stay_frozen(Connection& connection, const net::End& client) {
  auto& waiter = connection.waiter();
  waiter.no_deadline();
  for (;;) {
    const auto slept = co_await waiter.sleep();
    if (slept.has_error() || client.broken()) co_return;
    if (client.hung_up()) waiter.deadline(Clock::now() + frozen_after_end, ErrorKind::half_closed_timeout);
  }
}

// Both directions share what the fate allows; the order keeps requests before their answers.
std::uint64_t move_some(Connection& connection, TunnelFate& fate, Flow& up, Flow& down, TimePoint now) {
  auto& scratch = connection.world().scratch;
  const auto sent = up.move(scratch, std::min(fate.budget(now), turn_bytes));
  fate.moved(sent, now);
  if (fate.verdict(now) != Verdict::go_on) return sent;
  const auto received = down.move(scratch, std::min(fate.budget(now), turn_bytes));
  fate.moved(received, now);
  return sent + received;
}

// A reset shows only where a direction is still open that nobody reads or writes at the moment.
bool failed(const Leg& client, const Leg& exit, const Flow& up, const Flow& down) {
  return up.state() == FlowState::failed || down.state() == FlowState::failed ||
         (client.end->broken() && !down.over()) || (exit.end->broken() && !up.over());
}

}  // namespace

net::Task<void> carry(Connection& connection, Leg& client, Leg& exit, std::optional<std::string> session,
                      std::optional<Fault> fault) {
  OpenTunnel tunnel(connection, std::move(session));
  auto& waiter = connection.waiter();
  TunnelFate fate(std::move(fault), Clock::now());
  Flow up(client, exit);
  Flow down(exit, client);
  client.end->watch(&waiter);
  exit.end->watch(&waiter);
  while (!connection.over()) {
    const auto now = Clock::now();
    const auto verdict = fate.verdict(now);
    if (verdict == Verdict::freeze) connection.freeze();
    if (connection.frozen()) {
      co_await stay_frozen(connection, *client.end);
      break;
    }
    if (verdict == Verdict::cut) co_return co_await cut(connection, client, exit, fate.how());
    const auto moved = move_some(connection, fate, up, down, now);
    if (moved > 0) {
      tunnel.used(now);
      if (up.ready() || down.ready()) co_await boost::asio::post(net::use_task);
      continue;
    }
    if (up.over() && down.over()) co_return;
    if (failed(client, exit, up, down)) co_return reset_both(client, exit);
    if (const auto look = fate.next_look(now)) {
      waiter.deadline(*look, ErrorKind::idle_timeout);
    } else {
      waiter.no_deadline();
    }
    // Called off, late or woken: the loop looks at all of it.
    co_await waiter.sleep();
  }
  close_at_once(client, connection.close_how());
  close_at_once(exit, connection.close_how());
}

}  // namespace chipgate::sim
