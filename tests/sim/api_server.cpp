// The API over HTTP/1.1.
#include "chipgate/protocol/http_reader.hpp"
#include "chipgate/protocol/http_rewrite.hpp"
#include "sim/answers.hpp"
#include "sim/api.hpp"
#include "sim/leg.hpp"

#include <fmt/format.h>

namespace chipgate::sim {
namespace {

constexpr std::size_t largest_body = 1024 * 1024;

struct Received {
  ApiRequest request;
  protocol::KeepAlive keep;
};

// Bodies come with a Content-Length: their bytes are the body.
net::Task<std::optional<Received>> receive(Connection& connection, Leg& client) {
  protocol::RequestReader reader;
  std::string body;
  while (!reader.complete() && body.size() <= largest_body) {
    if (client.inbox.empty()) {
      const bool more = co_await fill(connection, client);
      if (!more) co_return std::nullopt;
    }
    const bool in_head = !reader.head_complete();
    const auto taken = reader.take(client.inbox);
    if (taken.has_error()) co_return std::nullopt;
    if (!in_head) body += std::string_view(client.inbox).substr(0, *taken);
    client.inbox.erase(0, *taken);
  }
  const auto& head = reader.head();
  co_return Received{{head.method, head.target, std::move(body)}, protocol::keep_alive(head)};
}

std::string http_text(const ApiAnswer& answer) {
  return fmt::format("HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}\n",
                     answer.status, reason_phrase(answer.status), answer.body.size() + 1, answer.body);
}

}  // namespace

net::Task<void> serve_api(World& world, Listeners& listeners, net::EndPtr end) {
  Connection connection(world);
  Leg client{std::move(end)};
  for (;;) {
    const auto received = co_await receive(connection, client);
    if (!received) break;
    const auto text = http_text(answer_api(world, listeners, received->request));
    const bool sent = co_await send(connection, client, text);
    if (!sent || received->keep == protocol::KeepAlive::no) break;
  }
  if (client.end && !connection.over()) co_await close_gently(connection, client);
}

}  // namespace chipgate::sim
