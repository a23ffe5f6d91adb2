// One look at a session's exit.
#include "chipgate/gateway/look.hpp"

#include "chipgate/base/ascii.hpp"
#include "chipgate/gateway/ask.hpp"
#include "chipgate/protocol/http_date.hpp"
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

// One look: what it has cost so far stays known, however it ends.
class Asking {
 public:
  Asking(Dialer& dialer, Dial dial, const protocol::HttpUrl& echo) : dialer_(dialer), dial_(dial), echo_(echo) {}

  net::Task<Result<IpAddress>> run();

  std::uint64_t bytes_up() const { return bytes_up_; }
  std::uint64_t bytes_down() const { return bytes_down_; }
  std::optional<WallTime> date() const { return date_; }

 private:
  net::Task<Result<void>> read_page(net::End& upstream);
  void judge(const net::End& upstream, const Result<void>& read);
  net::Task<Error> told_by(unsigned status);
  Result<void> take(std::string_view bytes);

  Dialer& dialer_;
  Dial dial_;
  const protocol::HttpUrl& echo_;
  protocol::ResponseReader page_{protocol::ResponseTo::other};
  std::string body_;
  std::uint64_t bytes_up_ = 0;
  std::uint64_t bytes_down_ = 0;
  std::optional<WallTime> date_;
};

net::Task<Result<IpAddress>> Asking::run() {
  auto upstream = co_await dialer_.reach_for_requests(dial_, echo_.authority);
  if (upstream.has_error()) co_return upstream.error();
  dial_.waiter.deadline(dial_.until, ErrorKind::gateway_silent);
  const auto request = request_for(echo_, dialer_.kind(dial_.route), dial_.route.authorization_line.reveal());
  const auto asked = co_await dial_.waiter.write(**upstream, request.reveal());
  if (asked.has_error()) co_return asked.error();
  bytes_up_ = asked->bytes;
  const auto read = co_await read_page(**upstream);
  judge(**upstream, read);
  if (read.has_error()) co_return read.error();
  const auto& head = page_.head();
  if (const auto date = head.fields.find("Date")) date_ = protocol::parse_http_date(*date);
  if (head.status != 200) {
    upstream->reset();
    co_return co_await told_by(head.status);
  }
  // What stands at its beginning need not be all that it says.
  if (!page_.complete()) co_return Error{ErrorKind::gateway_garbled, "the echo's page is too long"};
  const auto address = provider::parse_echo(body_);
  if (!address) co_return Error{ErrorKind::gateway_garbled, "the echo's page names no address"};
  co_return *address;
}

// Looks are the first that a new gateway hears of chipgate: where clients are held, the only ones. So they have to find
// the address that serves.
void Asking::judge(const net::End& upstream, const Result<void>& read) {
  if (dialer_.kind(dial_.route) == EndpointKind::socks5) return;  // the dial has judged
  if (bytes_down_ > 0) {
    dialer_.served(dial_.route, upstream);
  } else if (read.has_error() && is_wordless(read.error().kind)) {
    dialer_.mute(dial_.route, upstream);
  }
}

// Whose word a status is. An echo that is down says 503 like a gateway that has no exit, and an assignment must not end
// for that: only a gateway answers a CONNECT, so it is asked for one. 407 is no origin's (RFC 9110 section 15.5.8).
net::Task<Error> Asking::told_by(unsigned status) {
  constexpr unsigned proxy_authentication_required = 407;
  auto of_gateway = error_of_status(dial_.route, status, page_.head().fields);
  if (status == proxy_authentication_required) co_return of_gateway;
  if (dialer_.kind(dial_.route) != EndpointKind::socks5) {
    const auto tunnel = co_await dialer_.dial(dial_, echo_.authority);
    if (tunnel.has_error()) co_return tunnel.error();
  }
  co_return Error{ErrorKind::gateway_garbled, "the echo answered " + std::to_string(status)};
}

net::Task<Result<void>> Asking::read_page(net::End& upstream) {
  while (!page_.complete() && body_.size() < longest_body) {
    const auto room = dial_.waiter.shard().scratch();
    const auto read = co_await dial_.waiter.read(upstream, room);
    if (read.has_error()) co_return read.error();
    if (read->status == net::IoStatus::failed) co_return gateway_failure(*read);
    if (read->status == net::IoStatus::eof) co_return page_.finish();
    bytes_down_ += read->bytes;
    const auto taken = take({room.data(), read->bytes});
    if (taken.has_error()) co_return taken.error();
  }
  co_return Result<void>();
}

Result<void> Asking::take(std::string_view bytes) {
  while (!bytes.empty() && !page_.complete()) {
    const bool in_body = page_.head_complete();
    const auto taken = page_.take(bytes);
    if (taken.has_error()) return taken.error();
    if (in_body) body_ += bytes.substr(0, *taken);
    bytes.remove_prefix(*taken);
  }
  return {};
}

}  // namespace

net::Task<Seen> look(Dialer& dialer, Dial dial, protocol::HttpUrl echo) {
  Asking asking(dialer, dial, echo);
  auto address = co_await asking.run();
  co_return Seen{std::move(address), asking.bytes_up(), asking.bytes_down(), asking.date()};
}

}  // namespace chipgate::gateway
