// One look at a session's exit.
#include "chipgate/gateway/look.hpp"

#include "chipgate/base/ascii.hpp"
#include "chipgate/gateway/ask.hpp"
#include "chipgate/protocol/http_reader.hpp"
#include "chipgate/provider/echo.hpp"

#include <array>

namespace chipgate::gateway {
namespace {

// An address or a small JSON object; a captcha's page is longer, and is no answer anyway.
constexpr std::size_t longest_body = 4096;

// HTTP/1.0, so that the body comes as it is, without chunks.
Secret request_for(const protocol::HttpUrl& echo, EndpointKind kind, std::string_view authorization_line) {
  const bool in_tunnel = kind == EndpointKind::socks5;
  const auto authority = echo.authority.text();
  const auto start = "GET " + (in_tunnel ? std::string() : "http://" + authority) + echo.path_and_query +
                     " HTTP/1.0\r\nHost: " + authority + "\r\n";
  constexpr std::string_view rest =
      "User-Agent: chipgate\r\nAccept: text/plain, application/json\r\nConnection: close\r\n\r\n";
  return Secret(
      join(std::array<std::string_view, 3>{start, in_tunnel ? std::string_view() : authorization_line, rest}));
}

struct Page {
  protocol::ResponseHead head;
  std::string body;
};

net::Task<Result<Page>> read_page(net::Waiter& waiter, net::End& upstream) {
  protocol::ResponseReader reader(protocol::ResponseTo::other);
  std::string body;
  while (!reader.complete() && body.size() < longest_body) {
    const auto room = waiter.shard().scratch();
    const auto read = co_await waiter.read(upstream, room);
    if (read.has_error()) co_return read.error();
    if (read->status == net::IoStatus::failed) co_return gateway_failure(*read);
    if (read->status == net::IoStatus::eof) {
      const auto finished = reader.finish();
      if (finished.has_error()) co_return finished.error();
      break;
    }
    std::string_view bytes(room.data(), read->bytes);
    while (!bytes.empty() && !reader.complete()) {
      const bool in_body = reader.head_complete();
      const auto taken = reader.take(bytes);
      if (taken.has_error()) co_return taken.error();
      if (in_body) body += bytes.substr(0, *taken);
      bytes.remove_prefix(*taken);
    }
  }
  co_return Page{reader.head(), std::move(body)};
}

}  // namespace

net::Task<Result<IpAddress>> look(Dialer& dialer, Dial dial, protocol::HttpUrl echo) {
  auto upstream = co_await dialer.reach_for_requests(dial, echo.authority);
  if (upstream.has_error()) co_return upstream.error();
  dial.waiter.deadline(dial.until, ErrorKind::gateway_silent);
  const auto request = request_for(echo, dialer.kind(dial.route), dial.route.authorization_line.reveal());
  const auto asked = co_await dial.waiter.write(**upstream, request.reveal());
  if (asked.has_error()) co_return asked.error();
  const auto page = co_await read_page(dial.waiter, **upstream);
  if (page.has_error()) co_return page.error();
  if (page->head.status != 200) {
    co_return error_of_status(dial.route, page->head.status, page->head.fields);
  }
  const auto address = provider::parse_echo(page->body);
  if (!address) co_return Error{ErrorKind::gateway_garbled, "the echo's page names no address"};
  co_return *address;
}

}  // namespace chipgate::gateway
