// A gateway's connection from accept to tunnel, whatever its protocol.
#include "sim/gateway.hpp"

#include "sim/answers.hpp"
#include "sim/dial.hpp"
#include "sim/tunnel.hpp"
#include "sim/world.hpp"

namespace chipgate::sim {
namespace {

constexpr std::string_view default_garbage = "\x01\x02 this is neither HTTP nor SOCKS \r\n\r\n";

// false: the fault has dealt with the connection.
net::Task<bool> welcome(Connection& connection, Leg& client, ListenerKind listener) {
  auto& world = connection.world();
  Circumstances whom;
  whom.listener = listener;
  if (const auto fault = world.strike(FaultStage::accept, whom)) {
    const Asked nothing{listener, {}, {}};
    const bool stopped = co_await stopped_by(connection, client, nothing, fault);
    if (stopped) co_return false;
  }
  if (listener != ListenerKind::https) co_return true;
  auto session = world.tls.open_gateway(client.end->fd(), world.strike(FaultStage::tls, whom));
  co_return co_await shake_hands(connection, client, std::move(session));
}

protocol::Fields headers_of_200(const World& world, const IpAddress& exit, const std::optional<Fault>& fault) {
  auto headers = fault && fault->kind == FaultKind::status ? fault->headers : protocol::Fields();
  if (!world.options.exit_header.empty()) headers.add(world.options.exit_header, exit.text());
  return headers;
}

net::Task<bool> say_established(Connection& connection, Leg& client, ListenerKind listener, IpAddress exit,
                                std::optional<Fault> fault) {
  auto answer = established(listener, headers_of_200(connection.world(), exit, fault));
  if (fault && fault->kind == FaultKind::split) co_return co_await send_split(connection, client, answer);
  if (fault && fault->kind == FaultKind::extra) answer += fault->body.empty() ? "extra" : fault->body;
  co_return co_await send(connection, client, answer);
}

}  // namespace

net::Task<void> serve_gateway(World& world, ListenerKind listener, net::EndPtr end) {
  ++world.stats.accepted;
  Connection connection(world);
  Leg client{std::move(end)};
  const bool welcomed = co_await welcome(connection, client, listener);
  if (!welcomed) co_return;
  if (listener == ListenerKind::socks5) {
    co_await serve_socks(connection, client);
  } else {
    co_await serve_http(connection, client, listener);
  }
  close_at_once(client, connection.close_how());
}

Circumstances circumstances(const Asked& asked, const std::string& target_text) {
  Circumstances whom;
  whom.listener = asked.listener;
  if (asked.login.session) whom.session = *asked.login.session;
  whom.target = target_text;
  return whom;
}

net::Task<void> open_tunnel(Connection& connection, Leg& client, Asked asked) {
  auto& world = connection.world();
  ++world.stats.connects;
  const auto target = asked.target.text();
  const auto whom = circumstances(asked, target);
  const auto fault = world.strike(FaultStage::connect, whom);
  if (world.options.latency.count() > 0) co_await pause(connection, world.options.latency);
  const bool stopped = co_await stopped_by(connection, client, asked, fault);
  if (stopped) co_return;
  const auto& session = asked.login.session;
  const auto exit = session ? world.sessions.exit_for(*session, Clock::now()) : world.sessions.rotating_exit();
  Leg out{co_await dial(connection, exit, asked)};
  if (!out.end) co_return co_await refuse(connection, client, asked.listener, unreachable());
  const bool said = co_await say_established(connection, client, asked.listener, exit, fault);
  if (said) co_await carry(connection, client, out, session, world.strike(FaultStage::tunnel, whom));
}

net::Task<bool> stopped_by(Connection& connection, Leg& client, const Asked& asked, const std::optional<Fault>& fault) {
  if (!fault) co_return connection.over();
  switch (fault->kind) {
    case FaultKind::slow: co_await pause(connection, fault->delay); co_return connection.over();
    case FaultKind::silence: co_await drop_until_end(connection, client); co_return true;
    case FaultKind::fin: co_await close_gently(connection, client); co_return true;
    case FaultKind::rst: close_at_once(client, CloseHow::rst); co_return true;
    case FaultKind::garbage: {
      const std::string garbage(fault->body.empty() ? default_garbage : fault->body);
      const bool sent = co_await send(connection, client, garbage);
      if (sent) co_await close_gently(connection, client);
      co_return true;
    }
    case FaultKind::status:
      if (fault->status == 200 && fault->stage == FaultStage::connect) co_return connection.over();
      co_await refuse(connection, client, asked.listener, *fault);
      co_return true;
    case FaultKind::socks_reply: co_await refuse(connection, client, asked.listener, *fault); co_return true;
    default: co_return connection.over();
  }
}

net::Task<void> refuse(Connection& connection, Leg& client, ListenerKind listener, Fault fault) {
  const auto answer = refused(listener, fault);
  const bool sent = co_await send(connection, client, answer);
  if (sent) co_await close_gently(connection, client);
}

}  // namespace chipgate::sim
