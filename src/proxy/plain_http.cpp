// Serving plain requests on one client connection.
#include "chipgate/proxy/plain_http.hpp"

#include "chipgate/proxy/client.hpp"
#include "chipgate/proxy/exchange.hpp"

#include <algorithm>
#include <array>

namespace chipgate::proxy {
namespace {

using protocol::KeepAlive;

// What browsers keep an idle proxy connection for; longer only holds descriptors.
constexpr Milliseconds idle_between_requests{60'000};

// Old clients write one or two empty lines. Bytes that never become a request would keep the connection, and the shard
// busy, for as long as they come.
constexpr std::size_t most_empty_lines = 1024;

// RFC 9110 section 9.2.2. A kept gateway connection may be closing in the very moment in which it is used again; a
// request that was lost on it is sent once more, and that a proxy must not do with others than these.
bool is_idempotent(std::string_view method) {
  constexpr std::array<std::string_view, 5> methods{"GET", "HEAD", "OPTIONS", "PUT", "DELETE"};
  return std::ranges::find(methods, method) != methods.end();
}

class PlainConnection {
 public:
  explicit PlainConnection(Client& client)
      : client_(client), reader_(std::move(client.handshake().reader())), behind_(client.handshake().take_early()) {}

  net::Task<std::optional<ConnectBehind>> run();

 private:
  enum class After : std::uint8_t { next, close, cut };

  net::Task<Result<After>> serve_request(TimePoint until);
  net::Task<Result<After>> answer_itself(TimePoint until);
  net::Task<Result<After>> forward(const gateway::RoutePtr& route, const protocol::HttpUrl& url, TimePoint until);
  net::Task<Result<void>> reach(const gateway::RoutePtr& route, const protocol::Authority& target, TimePoint until);
  net::Task<Result<bool>> next_request();
  net::Task<bool> await_request();
  net::Task<Result<void>> read_head();
  net::Task<Result<bool>> read_more();
  std::size_t drop_empty_lines();
  void drop_used_up_upstream();
  void judge(const Exchange& exchange, const Result<void>& exchanged);
  void note(const Exchange& exchange, ErrorKind ended, TimePoint began);
  net::Task<void> refuse(Error error);
  const ShardParts& parts() const { return client_.port().parts(); }

  Client& client_;
  protocol::RequestReader reader_;
  std::string behind_;
  // The gateway connection of the last request, kept for the next one by the same route.
  net::EndPtr upstream_;
  gateway::RoutePtr route_;
  protocol::Authority authority_;
};

net::Task<std::optional<ConnectBehind>> PlainConnection::run() {
  for (;;) {
    const auto after = co_await serve_request(client_.arrived() + parts().options.connect_budget);
    if (after.has_error()) {
      co_await refuse(after.error());
      co_return std::nullopt;
    }
    if (*after == After::cut) client_.reset();
    if (*after == After::close) co_await client_.linger();
    if (*after != After::next) co_return std::nullopt;
    const auto more = co_await next_request();
    if (more.has_error()) co_await refuse(more.error());
    if (more.has_error() || !*more) co_return std::nullopt;
    if (reader_.head().method == "CONNECT") co_return ConnectBehind{std::move(reader_), std::move(behind_)};
  }
}

net::Task<Result<PlainConnection::After>> PlainConnection::serve_request(TimePoint until) {
  const auto& head = reader_.head();
  client_.asks_by(head.method);
  const auto url = protocol::requested_url(head);
  if (url.has_error()) co_return url.error();
  client_.asks_for(url->authority);
  if (!authorized(parts().options.listen, head)) co_return Error{ErrorKind::client_auth_required};
  const auto carried_to = parts().options.destinations.check(url->authority);
  if (carried_to.has_error()) co_return carried_to.error();
  // Its answer would repeat the chip's credentials.
  if (head.method == "TRACE") co_return Error{ErrorKind::malformed_request, "TRACE is not carried"};
  if (protocol::is_last_hop(head)) co_return co_await answer_itself(until);
  const auto route = co_await client_.hold(until);
  if (route.has_error()) co_return route.error();
  const auto carried = client_.port().take_request();
  client_.goes_by(*route);
  if ((*route)->ip_literals == gateway::IpLiterals::refused && url->authority.is_ip_literal()) {
    co_return Error{ErrorKind::ip_literal_refused};
  }
  co_return co_await forward(*route, *url, until);
}

// To OPTIONS that may go no further. The connection ends with it: a body may stand behind the head.
net::Task<Result<PlainConnection::After>> PlainConnection::answer_itself(TimePoint until) {
  constexpr std::string_view answer =
      "HTTP/1.1 200 OK\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, CONNECT\r\nContent-Length: 0\r\n"
      "Connection: close\r\n\r\n";
  client_.waiter().deadline(until, ErrorKind::client_gone);
  const auto written = co_await client_.waiter().write(client_.socket(), answer);
  if (written.has_error()) co_return written.error();
  co_return After::close;
}

net::Task<Result<PlainConnection::After>> PlainConnection::forward(const gateway::RoutePtr& route,
                                                                   const protocol::HttpUrl& url, TimePoint until) {
  const auto kind = parts().dialer.kind(*route);
  const bool in_tunnel = kind == gateway::EndpointKind::socks5;
  const auto head = protocol::forward_request_head(
      reader_.head(), url, in_tunnel ? protocol::TargetForm::origin : protocol::TargetForm::absolute,
      in_tunnel ? std::string_view() : route->authorization_line.reveal());
  for (;;) {
    const auto began = Clock::now();
    const bool elsewhere = route_ != route || (in_tunnel && !(authority_ == url.authority));
    if (elsewhere || !is_idempotent(reader_.head().method)) upstream_.reset();
    drop_used_up_upstream();
    const bool reused = upstream_ != nullptr;
    if (!reused) {
      const auto reached = co_await reach(route, url.authority, until);
      if (reached.has_error()) co_return reached.error();
    }
    // The last look before anything is written under this route.
    if (!client_.port().stands(route)) co_return Error{ErrorKind::fenced};
    Exchange exchange({client_.waiter(), client_.socket(), *upstream_, client_.port().counters(), kind, *route,
                       parts().relay.options()},
                      reader_, behind_);
    const auto promised = std::max(until, client_.arrived() + parts().relay.options().first_reply);
    const auto exchanged = co_await exchange.run(head, until, promised);
    if (!reused) judge(exchange, exchanged);
    if (exchanged.has_error() || !exchange.upstream_reusable()) upstream_.reset();
    if (exchanged.has_value()) {
      client_.port().pacer().success();
      note(exchange, ErrorKind::completed, began);
      co_return exchange.client_keep_alive() == KeepAlive::yes ? After::next : After::close;
    }
    // The gateway may close an idle connection in the very moment in which it is used again (RFC 9112 section 9.3.1).
    if (reused && exchange.repeatable() && exchanged.error() == ErrorKind::gateway_closed) continue;
    // Only the gateway's own words: the origin's silence is no news of the exit.
    if (info(exchanged.error().kind).fault == Fault::provider) client_.port().gateway_failed(route, exchanged.error());
    if (exchange.other_exit()) client_.port().other_exit(*route, *exchange.other_exit());
    if (!exchange.answered()) co_return exchanged.error();
    note(exchange, exchanged.error().kind, began);
    co_return After::cut;
  }
}

net::Task<Result<void>> PlainConnection::reach(const gateway::RoutePtr& route, const protocol::Authority& target,
                                               TimePoint until) {
  const gateway::Dial dial{client_.waiter(), *route, client_.watch(), until};
  auto upstream = co_await parts().dialer.reach_for_requests(dial, target);
  if (upstream.has_error()) {
    client_.port().gateway_failed(route, upstream.error());
    co_return upstream.error();
  }
  upstream_ = std::move(*upstream);
  route_ = route;
  authority_ = target;
  co_return Result<void>();
}

// Whether there is one. A client that leaves between two requests is no refusal.
net::Task<Result<bool>> PlainConnection::next_request() {
  const bool begun = co_await await_request();
  if (!begun) co_return false;
  client_.begins_request();
  client_.rests(false);
  client_.waiter().deadline(client_.arrived() + parts().options.head_timeout, ErrorKind::head_timeout);
  const auto head = co_await read_head();
  if (head.has_error()) co_return head.error();
  co_return true;
}

// Until its first byte is here.
net::Task<bool> PlainConnection::await_request() {
  auto& waiter = client_.waiter();
  auto dropped = drop_empty_lines();
  if (behind_.empty() && client_.port().leaving()) co_return false;
  client_.rests(behind_.empty());
  waiter.deadline(Clock::now() + idle_between_requests, ErrorKind::client_gone);
  while (behind_.empty() || behind_ == "\r") {
    const auto more = co_await read_more();
    // Not a refusal: an answer that nobody asked for would be taken for that of the next request.
    if (const auto off = waiter.called_off(); off && *off != ErrorKind::draining) client_.reset();
    if (more.has_error() || !*more) co_return false;
    dropped += drop_empty_lines();
    if (dropped > most_empty_lines) co_return false;
  }
  co_return true;
}

net::Task<Result<void>> PlainConnection::read_head() {
  reader_ = protocol::RequestReader();
  for (;;) {
    const auto taken = reader_.take(behind_);
    if (taken.has_error()) co_return taken.error();
    behind_.erase(0, *taken);
    if (reader_.head_complete()) break;
    const auto more = co_await read_more();
    if (more.has_error()) co_return more.error();
    if (!*more) co_return Error{ErrorKind::head_truncated};
  }
  client_.watch().leave();
  co_return Result<void>();
}

// false: the client has ended its side.
net::Task<Result<bool>> PlainConnection::read_more() {
  auto& waiter = client_.waiter();
  for (;;) {
    while (!client_.socket().readable()) {
      const auto slept = co_await waiter.sleep();
      if (slept.has_error()) co_return slept.error();
      drop_used_up_upstream();
    }
    const auto room = waiter.shard().scratch();
    const auto read = client_.socket().read(room);
    if (read.status == net::IoStatus::would_block) continue;
    if (read.status == net::IoStatus::moved) behind_.append(room.data(), read.bytes);
    co_return read.status == net::IoStatus::moved;
  }
}

// What old clients write behind a body (RFC 9112 section 2.2). A 400 to it would be taken for the next request's
// answer. How many bytes they were.
std::size_t PlainConnection::drop_empty_lines() {
  std::size_t bytes = 0;
  while (std::string_view(behind_).substr(bytes).starts_with("\r\n")) bytes += 2;
  behind_.erase(0, bytes);
  return bytes;
}

// One that speaks or ends between requests is of no more use. That it is said to be readable proves neither: under TLS
// there may be a session ticket and nothing else.
void PlainConnection::drop_used_up_upstream() {
  if (!upstream_ || (!upstream_->readable() && !upstream_->hung_up())) return;
  const auto read = upstream_->read(client_.waiter().shard().scratch());
  if (read.status != net::IoStatus::would_block) upstream_.reset();
}

// It takes its time, and nothing may be held upstream meanwhile.
net::Task<void> PlainConnection::refuse(Error error) {
  upstream_.reset();
  co_await client_.refuse(std::move(error));
}

// An address is known by what it does with the first request.
void PlainConnection::judge(const Exchange& exchange, const Result<void>& exchanged) {
  auto& dialer = parts().dialer;
  if (exchange.heard()) {
    dialer.served(*route_, *upstream_);
  } else if (exchanged.has_error() && is_wordless(exchanged.error().kind) && !exchange.was_cut_short()) {
    dialer.mute(*route_, *upstream_);
  }
}

void PlainConnection::note(const Exchange& exchange, ErrorKind ended, TimePoint began) {
  auto line = client_.line();
  line.outcome = telemetry::Outcome::established;
  line.ended = ended;
  line.bytes_up = exchange.bytes_up();
  line.bytes_down = exchange.bytes_down();
  line.open = Clock::now() - began;
  telemetry::write(parts().log, line);
}

}  // namespace

net::Task<std::optional<ConnectBehind>> serve_plain(Client& client) {
  PlainConnection connection(client);
  co_return co_await connection.run();
}

}  // namespace chipgate::proxy
