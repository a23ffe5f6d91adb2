// The origin's services that are not HTTP, and choosing among all of them.
#include "sim/origin.hpp"

#include "sim/flow.hpp"
#include "sim/pages.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <limits>

namespace chipgate::sim {
namespace {

// More than any test sends to be reversed.
constexpr std::size_t largest_reversal = 64 * 1024 * 1024;

constexpr std::size_t turn_bytes = 512 * 1024;

std::shared_ptr<const Seen> who_is(World& world, const SocketAddress& from) {
  Seen seen{world.next_connection++, from.ip, "direct"};
  if (const auto found = world.expected.find(from); found != world.expected.end()) {
    seen.target = std::move(found->second.target);
    seen.session = std::move(found->second.session);
    world.expected.erase(found);
  } else {
    ++world.stats.origin_direct;
  }
  return std::make_shared<const Seen>(std::move(seen));
}

net::Task<void> echo(Connection& connection, Leg& client) {
  Flow back(client, client);
  client.end->watch(&connection.waiter());
  while (!connection.over() && !back.over()) {
    const auto moved = back.move(connection.world().scratch, turn_bytes);
    if (client.end->broken() && moved == 0) co_return;
    if (back.ready()) {
      co_await boost::asio::post(net::use_task);
    } else if (!back.over()) {
      co_await connection.waiter().sleep();
    }
  }
  if (back.state() == FlowState::done) co_await close_gently(connection, client);
}

net::Task<void> sink(Connection& connection, Leg& client) {
  std::uint64_t bytes = 0;
  for (;;) {
    const bool more = co_await fill(connection, client);
    bytes += client.inbox.size();
    client.inbox.clear();
    if (!more) break;
  }
  const auto count = fmt::format("{}\n", bytes);
  const bool sent = co_await send(connection, client, count);
  if (sent) co_await close_gently(connection, client);
}

net::Task<void> reverse(Connection& connection, Leg& client) {
  while (client.inbox.size() < largest_reversal) {
    const bool more = co_await fill(connection, client);
    if (!more) break;
  }
  std::ranges::reverse(client.inbox);
  const bool sent = co_await send(connection, client, client.inbox);
  if (sent) co_await close_gently(connection, client);
}

net::Task<void> serve(Connection& connection, Leg& client, const Seen& who, const protocol::Authority& target) {
  switch (service_of(target.port)) {
    case Service::echo:
    case Service::tls_echo: co_return co_await echo(connection, client);
    case Service::sink: co_return co_await sink(connection, client);
    case Service::reverse: co_return co_await reverse(connection, client);
    case Service::source: {
      const auto bytes = bytes_wanted(target.host).value_or(std::numeric_limits<std::uint64_t>::max());
      co_await send_pattern(connection, client, bytes);
      co_return co_await close_gently(connection, client);
    }
    case Service::pages:
    case Service::tls_pages: co_return co_await serve_pages(connection, client, who);
  }
}

bool wants_tls(Service service) { return service == Service::tls_pages || service == Service::tls_echo; }

}  // namespace

net::Task<void> serve_origin(World& world, net::EndPtr end, SocketAddress from) {
  ++world.stats.origin_connections;
  Connection connection(world);
  const auto who = who_is(world, from);
  Logged tap(world.log, who);
  Leg client{std::move(end), {}, &tap};
  const auto target = protocol::parse_authority(who->target, 80).value_or(protocol::Authority{"direct", 80});
  if (wants_tls(service_of(target.port))) {
    const bool shaken = co_await shake_hands(connection, client, world.tls.open_origin(client.end->fd(), target.host));
    if (!shaken) co_return;
  }
  co_await serve(connection, client, *who, target);
  close_at_once(client, connection.close_how());
}

net::Task<void> send_pattern(Connection& connection, Leg& client, std::uint64_t bytes) {
  for (std::uint64_t sent = 0; sent < bytes;) {
    const auto window = pattern_from(sent);
    const auto piece = window.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes - sent, window.size())));
    const bool whole = co_await send(connection, client, piece);
    if (!whole || connection.over()) co_return;
    sent += piece.size();
    // A source that never blocks would keep everybody else waiting.
    if (sent % turn_bytes < piece.size()) co_await boost::asio::post(net::use_task);
  }
}

}  // namespace chipgate::sim
