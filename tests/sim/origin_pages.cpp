// The origin as an HTTP server with keep-alive.
#include "chipgate/base/ascii.hpp"
#include "chipgate/protocol/http_reader.hpp"
#include "chipgate/protocol/http_rewrite.hpp"
#include "sim/answers.hpp"
#include "sim/gateway.hpp"
#include "sim/origin.hpp"
#include "sim/pages.hpp"

#include <fmt/format.h>

namespace chipgate::sim {
namespace {

// The whole request, of which the body is only counted. Nothing: the client ended, or spoke no HTTP.
net::Task<std::optional<Visit>> receive(Connection& connection, Leg& client) {
  protocol::RequestReader reader;
  Visit visit;
  while (!reader.complete()) {
    if (client.inbox.empty()) {
      const bool more = co_await fill(connection, client);
      if (!more) co_return std::nullopt;
    }
    const bool in_head = !reader.head_complete();
    const auto taken = reader.take(client.inbox);
    if (taken.has_error()) co_return std::nullopt;
    if (in_head) {
      visit.raw_head += std::string_view(client.inbox).substr(0, *taken);
    } else {
      visit.body_bytes += *taken;
    }
    client.inbox.erase(0, *taken);
    const bool waits = in_head && reader.head_complete() && !reader.complete() &&
                       equals_ignoring_case(reader.head().fields.find("Expect").value_or(""), "100-continue");
    if (waits) co_await send(connection, client, "HTTP/1.1 100 Continue\r\n\r\n");
  }
  visit.head = reader.head();
  co_return visit;
}

net::Task<bool> send_body(Connection& connection, Leg& client, const Page& page) {
  if (page.chunks == 0) {
    co_await send_pattern(connection, client, page.pattern_bytes);
    co_return co_await send(connection, client, page.body);
  }
  const auto chunk = fmt::format("{:x}\r\n{}\r\n", page.body.size(), page.body);
  for (unsigned i = 0; i < page.chunks; ++i) {
    const bool sent = co_await send(connection, client, chunk);
    if (!sent) co_return false;
  }
  co_return co_await send(connection, client, "0\r\n\r\n");
}

net::Task<bool> answer(Connection& connection, Leg& client, const Visit& visit) {
  const auto page = page_for(visit);
  if (page.delay.count() > 0) co_await pause(connection, page.delay);
  const auto keep = protocol::keep_alive(visit.head);
  const auto head = head_of(page, keep == protocol::KeepAlive::yes ? "keep-alive" : "close");
  const bool told = co_await send(connection, client, head);
  if (!told) co_return false;
  if (visit.head.method != "HEAD") {
    const bool whole = co_await send_body(connection, client, page);
    if (!whole) co_return false;
  }
  co_return keep == protocol::KeepAlive::yes;
}

}  // namespace

net::Task<void> serve_pages(Connection& connection, Leg& client, const Seen& who) {
  auto& world = connection.world();
  Circumstances whom;
  whom.target = who.target;
  const Asked nothing{ListenerKind::http, {}, {}};
  for (;;) {
    auto visit = co_await receive(connection, client);
    if (!visit) break;
    visit->source = who.source;
    const bool stopped = co_await stopped_by(connection, client, nothing, world.strike(FaultStage::origin, whom));
    if (stopped) co_return;
    const bool again = co_await answer(connection, client, *visit);
    if (!again) break;
  }
  if (client.end && !connection.over()) co_await close_gently(connection, client);
}

}  // namespace chipgate::sim
