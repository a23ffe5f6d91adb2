// A plain request and its answer.
#include "chipgate/proxy/exchange.hpp"

#include "chipgate/base/secret.hpp"
#include "chipgate/gateway/ask.hpp"
#include "chipgate/provider/status.hpp"

#include <algorithm>

namespace chipgate::proxy {
namespace {

// Two full reads, as a visit of the relay to one of its tunnels.
constexpr std::size_t most_bytes_a_turn = 64 * 1024;

// An origin that works for an hour may say so every half a minute; one that says nothing else is not answering.
constexpr int most_interim_answers = 128;

// What a gateway and an origin need at the least, however long the client was held before.
constexpr Milliseconds least_for_an_answer{2'000};

protocol::ResponseTo response_to(const protocol::RequestHead& head) {
  return head.method == "HEAD" ? protocol::ResponseTo::head : protocol::ResponseTo::other;
}

}  // namespace

Exchange::Exchange(Ends ends, protocol::RequestReader& request, std::string& behind)
    : ends_(ends),
      request_(request),
      behind_(behind),
      response_to_(response_to(request.head())),
      answer_(response_to_),
      keep_alive_(protocol::keep_alive(request.head())) {}

net::Task<Result<void>> Exchange::run(const Secret& head, TimePoint until, TimePoint promised) {
  ends_.client.watch(&ends_.waiter);
  ends_.upstream.watch(&ends_.waiter);
  ends_.waiter.deadline(until, ErrorKind::gateway_silent);
  const auto sent = co_await ends_.waiter.write(ends_.upstream, head.reveal());
  if (sent.has_error()) co_return sent.error();
  // A gateway that closed may have said why before.
  upstream_deaf_ = sent->status == net::IoStatus::failed;
  if (!upstream_deaf_) count_up(sent->bytes);
  auto turn = moved();
  auto since = Clock::now();
  while (!finished()) {
    const auto pushed = push_request();
    if (pushed.has_error()) co_return pushed.error();
    const auto pulled = pull_answer();
    if (pulled.has_error()) co_return pulled.error();
    const bool some = *pushed == Progress::some || *pulled == Progress::some;
    if (some) {
      const auto now = Clock::now();
      if (!head_begun_) since = now;
      ends_.counters.used(now);
    }
    if (some && moved() - turn < most_bytes_a_turn) continue;
    wait_from(since, promised);
    Result<void> rested;
    if (some) {
      rested = co_await ends_.waiter.yield();
    } else {
      rested = co_await ends_.waiter.sleep();
    }
    if (rested.has_error()) co_return rested.error();
    turn = moved();
  }
  // What is left of the request's body would be taken for the next request.
  if (!request_.complete()) keep_alive_ = protocol::KeepAlive::no;
  // So would what was read of it and did not fit through: the origin would get the next head, credentials and all.
  upstream_reusable_ = upstream_reusable_ && request_.complete() && to_upstream_.empty() && !upstream_deaf_;
  co_return Result<void>();
}

// Whoever was held and then waits for an answer has waited all along.
void Exchange::wait_from(TimePoint since, TimePoint promised) {
  body_took_time_ = body_took_time_ || client_owes_body() || !to_upstream_.empty();
  const auto [longest, late] = awaited();
  if (longest <= Milliseconds(0)) return ends_.waiter.no_deadline();
  const auto full = since + longest;
  const bool waited_all_along = late == ErrorKind::gateway_silent && !heard_ && !body_took_time_;
  const auto at = waited_all_along ? std::min(full, std::max(promised, since + least_for_an_answer)) : full;
  cut_short_ = at < full;
  ends_.waiter.deadline(at, late);
}

Exchange::Awaited Exchange::awaited() const {
  if (!to_client_.empty()) return {ends_.quiet.idle_timeout, ErrorKind::client_gone};
  if (final_) return {ends_.quiet.idle_timeout, ErrorKind::idle_timeout};
  if (client_owes_body()) return {ends_.quiet.idle_timeout, ErrorKind::body_timeout};
  return {ends_.quiet.first_reply, ErrorKind::gateway_silent};
}

// All that came of it has gone through, and it is not waiting to be asked for the rest.
bool Exchange::client_owes_body() const {
  const bool asks = protocol::has_token(request_.head().fields, "Expect", "100-continue");
  return !request_.complete() && to_upstream_.empty() && !upstream_deaf_ && !(asks && !heard_ && !body_sent_);
}

// The preset whatsapp has rules for port 443 alone, where no plain request is carried.
void Exchange::count_up(std::size_t bytes) {
  bytes_up_ += bytes;
  ends_.counters.bytes_up.add(bytes);
  ends_.counters.bytes_elsewhere.add(bytes);
}

Result<Exchange::Progress> Exchange::push_request() {
  if (upstream_deaf_) return Progress::none;
  if (to_upstream_.empty()) return fetch_body();
  if (!ends_.upstream.writable()) return Progress::none;
  const auto written = ends_.upstream.write(to_upstream_);
  if (written.status == net::IoStatus::failed) {
    upstream_deaf_ = true;
    return Progress::some;
  }
  to_upstream_.erase(0, written.bytes);
  count_up(written.bytes);
  return written.bytes > 0 ? Progress::some : Progress::none;
}

Result<Exchange::Progress> Exchange::fetch_body() {
  if (request_.complete()) return Progress::none;
  if (behind_.empty()) {
    if (!ends_.client.readable()) return Progress::none;
    const auto room = ends_.waiter.shard().scratch();
    const auto read = ends_.client.read(room);
    if (read.status == net::IoStatus::would_block) return Progress::none;
    if (read.status != net::IoStatus::moved) return Error{ErrorKind::client_gone};
    behind_.assign(room.data(), read.bytes);
  }
  const auto taken = request_.take(behind_);
  if (taken.has_error()) return taken.error();
  to_upstream_ = behind_.substr(0, *taken);
  behind_.erase(0, *taken);
  body_sent_ = body_sent_ || *taken > 0;
  return Progress::some;
}

Result<Exchange::Progress> Exchange::pull_answer() {
  if (!to_client_.empty()) return deliver();
  if (!ends_.upstream.readable()) return Progress::none;
  const auto room = ends_.waiter.shard().scratch();
  const auto read = ends_.upstream.read(room);
  if (read.status == net::IoStatus::would_block) return Progress::none;
  if (read.status == net::IoStatus::failed) return gateway::gateway_failure(read);
  if (read.status == net::IoStatus::eof) {
    const auto ended = upstream_ended();
    if (ended.has_error()) return ended.error();
    return Progress::some;
  }
  heard_ = true;
  const auto taken = take_answer({room.data(), read.bytes});
  if (taken.has_error()) return taken.error();
  return Progress::some;
}

Result<Exchange::Progress> Exchange::deliver() {
  if (!ends_.client.writable()) return Progress::none;
  const auto written = ends_.client.write(to_client_);
  if (written.status == net::IoStatus::failed) return Error{ErrorKind::client_gone};
  if (written.bytes == 0) return Progress::none;
  to_client_.erase(0, written.bytes);
  bytes_down_ += written.bytes;
  ends_.counters.bytes_down.add(written.bytes);
  ends_.counters.bytes_elsewhere.add(written.bytes);
  answered_ = true;
  return Progress::some;
}

Result<void> Exchange::take_answer(std::string_view bytes) {
  while (!bytes.empty() && !(final_ && answer_.complete())) {
    const bool in_body = answer_.head_complete();
    const auto taken = answer_.take(bytes);
    if (taken.has_error()) return taken.error();
    head_begun_ = !answer_.head_complete();
    if (in_body) to_client_.append(bytes.substr(0, *taken));
    bytes.remove_prefix(*taken);
    if (!in_body && answer_.head_complete()) {
      const auto understood = answer_head();
      if (understood.has_error()) return understood.error();
    }
  }
  // Bytes that no request asked for: nothing on this connection can be trusted to be in step any more.
  if (!bytes.empty()) upstream_reusable_ = false;
  return {};
}

// In a tunnel the gateway says nothing, and the origin does not know the credentials.
protocol::ResponseHead Exchange::for_client(const protocol::ResponseHead& head) const {
  return ends_.gateway == gateway::EndpointKind::socks5 ? head : gateway::without_credentials(ends_.route, head);
}

Result<void> Exchange::answer_head() {
  const auto& head = answer_.head();
  // Only the gateway itself asks a proxy's client for credentials, and the client has none to give.
  if (head.status == 407 && ends_.gateway != gateway::EndpointKind::socks5) {
    return gateway::error_of_status(ends_.route, head.status, head.fields);
  }
  // In a tunnel the head is the origin's own, and an origin may write what it likes.
  const auto exit = ends_.gateway == gateway::EndpointKind::socks5 ? std::nullopt : provider::exit_address(head.fields);
  if (exit && gateway::verdict_on(ends_.route, *exit) == gateway::ExitVerdict::other) {
    other_exit_ = exit;
    return Error{ErrorKind::fenced, "the gateway names another exit"};
  }
  // Upgrade is never forwarded, so nobody may switch.
  if (head.status == 101) return Error{ErrorKind::gateway_garbled, "101 without an upgrade"};
  if (head.status < 200) {
    if (++interim_answers_ > most_interim_answers) return Error{ErrorKind::gateway_garbled, "only interim answers"};
    // RFC 9110 section 15.2: a client of HTTP/1.0 would take it for the answer.
    if (request_.head().version >= 11) to_client_ += protocol::forward_response_head(for_client(head), keep_alive_);
    answer_ = protocol::ResponseReader(response_to_);
    return {};
  }
  final_ = true;
  if (answer_.body_until_eof()) keep_alive_ = protocol::KeepAlive::no;
  const bool closes = protocol::has_token(head.fields, "Connection", "close") ||
                      protocol::has_token(head.fields, "Proxy-Connection", "close") || head.version < 11;
  if (closes || answer_.body_until_eof()) upstream_reusable_ = false;
  to_client_ += protocol::forward_response_head(for_client(head), keep_alive_);
  return {};
}

Result<void> Exchange::upstream_ended() {
  upstream_reusable_ = false;
  upstream_deaf_ = true;
  return answer_.finish();
}

}  // namespace chipgate::proxy
