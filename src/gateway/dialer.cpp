// From a route to a tunnel through its gateway.
#include "chipgate/gateway/dialer.hpp"

#include "chipgate/gateway/ask.hpp"
#include "chipgate/net/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <system_error>

namespace chipgate::gateway {
namespace {

// For whoever looks at a chipgate that has run out: its metrics, its log, its name server. Less than what accepting
// leaves free, so that those who were let in can be carried.
constexpr std::uint32_t kept_descriptors = 8;

// How a connect ended that the network was asked about.
Error error_of_connect(int error) {
  const auto detail = std::generic_category().message(error);
  switch (error) {
    case ECONNREFUSED:
    case ECONNRESET: return {ErrorKind::gateway_refused, detail};
    case ETIMEDOUT: return {ErrorKind::gateway_connect_timeout, detail};
    default: return {ErrorKind::gateway_unreachable, detail};
  }
}

// What this host's kernel says before it has sent anything.
Error error_of_this_host(int error) {
  const auto detail = std::generic_category().message(error);
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return {ErrorKind::out_of_descriptors, detail};
    case ECONNREFUSED: return error_of_connect(error);  // loopback answers at once
    default: return {ErrorKind::no_way_to_gateway, detail};
  }
}

// A SYN that is lost is sent again after a second (RFC 6298): less says nothing of whom it was sent to.
constexpr Milliseconds enough_for_a_connect{1'000};

// Which errors are the endpoint's, and not this host's, this client's or one session's. A gateway that hangs up on a
// CONNECT, or never answers it, may well carry every other chip.
bool speaks_against_the_endpoint(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::gateway_unresolved:
    case ErrorKind::gateway_refused:
    case ErrorKind::gateway_unreachable:
    case ErrorKind::gateway_connect_timeout:
    case ErrorKind::gateway_tls_failed:
    case ErrorKind::gateway_certificate: return true;
    default: return false;
  }
}

// Whether another address of the endpoint may do better. A host without IPv6 has a way to the IPv4 ones.
bool may_be_the_address(ErrorKind kind) {
  return speaks_against_the_endpoint(kind) || kind == ErrorKind::no_way_to_gateway;
}

}  // namespace

Dialer::Dialer(net::Shard& shard, const GatewayOptions& options, telemetry::ShardCounters& counters,
               EndpointObserver& observer)
    : shard_(shard), options_(options), counters_(counters), observer_(observer), reserve_(kept_descriptors) {
  for (const auto& endpoint : options_.endpoints) endpoints_.emplace_back(endpoint);
  const auto is_https = [](const auto& endpoint) { return endpoint.kind == EndpointKind::https; };
  if (std::ranges::any_of(options_.endpoints, is_https)) tls_.emplace(options_.tls.ca_file);
}

net::Task<Result<Connected>> Dialer::dial(Dial dial, protocol::Authority target) {
  const auto begun = Clock::now();
  auto& to = begin(dial);
  auto addresses = co_await addresses_of(dial, to);
  if (addresses.has_error()) co_return counted(dial, begun, addresses.error());
  Error last{ErrorKind::gateway_unresolved};
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    const auto& address = (*addresses)[i];
    const auto left = addresses->size() - i;
    const auto tried = Clock::now();
    auto upstream = co_await reach_address(dial, to, address, left);
    if (upstream.has_error()) {
      last = upstream.error();
      if (goes_on(dial, to, address, tried, last.kind) == GoOn::with_the_next) continue;
      break;
    }
    tell(dial.route.endpoint, to.succeeded());
    dial.watch.enter(telemetry::Stage::reply);
    // One that has served gets all the time: its silence would be the session's.
    const bool proven = to.proven(address);
    dial.waiter.deadline(proven ? dial.until : share(dial.until, left), ErrorKind::gateway_silent);
    auto connected = co_await ask(dial, std::move(*upstream), target);
    dial.watch.leave();
    if (connected.has_value()) {
      to.prefer(address);
      co_return connected;
    }
    last = connected.error();
    if (info(last.kind).fault == Fault::provider) to.prefer(address);
    if (is_wordless(last.kind)) to.doubt(address);
    if (proven || !is_wordless(last.kind) || Clock::now() >= dial.until) break;
  }
  co_return counted(dial, begun, std::move(last));
}

net::Task<Result<net::EndPtr>> Dialer::reach_for_requests(Dial dial, protocol::Authority target) {
  if (kind(dial.route) != EndpointKind::socks5) co_return co_await reach(dial);
  auto connected = co_await this->dial(dial, std::move(target));
  if (connected.has_error()) co_return connected.error();
  // An answer before the question: whose would the next one be?
  if (!connected->early.empty()) co_return Error{ErrorKind::gateway_garbled, "bytes before the first request"};
  co_return std::move(connected->upstream);
}

net::Task<Result<Connected>> Dialer::ask(Dial dial, net::EndPtr upstream, const protocol::Authority& target) {
  if (kind(dial.route) == EndpointKind::socks5) {
    co_return co_await ask_socks5(dial.waiter, std::move(upstream), dial.route, target);
  }
  co_return co_await ask_http(dial.waiter, std::move(upstream), dial.route, target);
}

net::Task<Result<net::EndPtr>> Dialer::reach(Dial dial) {
  const auto begun = Clock::now();
  auto& to = begin(dial);
  auto addresses = co_await addresses_of(dial, to);
  if (addresses.has_error()) co_return counted(dial, begun, addresses.error());
  Error last{ErrorKind::gateway_unresolved};
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    const auto& address = (*addresses)[i];
    const auto tried = Clock::now();
    auto upstream = co_await reach_address(dial, to, address, addresses->size() - i);
    if (upstream.has_value()) {
      tell(dial.route.endpoint, to.succeeded());
      co_return upstream;
    }
    last = upstream.error();
    if (goes_on(dial, to, address, tried, last.kind) == GoOn::not_at_all) break;
  }
  co_return counted(dial, begun, std::move(last));
}

void Dialer::served(const Route& route, const net::End& upstream) {
  auto& from = endpoint(route.endpoint);
  if (from.has_choice()) from.prefer(peer_address(upstream.fd()));
}

void Dialer::mute(const Route& route, const net::End& upstream) {
  auto& from = endpoint(route.endpoint);
  if (from.has_choice()) from.doubt(peer_address(upstream.fd()));
}

Endpoint& Dialer::begin(const Dial& dial) {
  counters_.dials.increment();
  dial.watch.enter(telemetry::Stage::connect);
  return endpoint(dial.route.endpoint);
}

net::Task<Result<std::vector<SocketAddress>>> Dialer::addresses_of(Dial dial, Endpoint& to) {
  dial.waiter.deadline(dial.until, ErrorKind::gateway_unresolved);
  const Endpoint::Waiting waiting(to, dial.waiter);
  auto addresses = to.addresses();
  while (!addresses) {
    const auto slept = co_await dial.waiter.sleep();
    if (slept.has_error()) {
      dial.watch.leave();
      co_return slept.error();
    }
    addresses = to.addresses();
  }
  co_return std::move(*addresses);
}

// Connected, and under TLS where the endpoint speaks it. `left` addresses have still to share the budget.
net::Task<Result<net::EndPtr>> Dialer::reach_address(Dial dial, Endpoint& to, SocketAddress address, std::size_t left) {
  dial.watch.enter(telemetry::Stage::connect);
  auto upstream = co_await connect_to(dial, address);
  dial.watch.leave();
  if (upstream.has_error() || to.options().kind != EndpointKind::https) co_return upstream;
  dial.watch.enter(telemetry::Stage::tls);
  dial.waiter.deadline(share(dial.until, left), ErrorKind::gateway_tls_failed);
  const auto shaken = co_await shake_hands(dial, to, **upstream);
  dial.watch.leave();
  if (shaken.has_error()) co_return shaken.error();
  co_return upstream;
}

// The budget of one dial may not reach behind two addresses that swallow everything, so what it has learned of them
// stays for the next one.
Dialer::GoOn Dialer::goes_on(const Dial& dial, Endpoint& to, const SocketAddress& address, TimePoint tried,
                             ErrorKind failed) const {
  if (!may_be_the_address(failed)) return GoOn::not_at_all;
  const auto now = Clock::now();
  const bool time_is_left = now < dial.until;
  if (time_is_left || now - tried >= std::min(options_.connect_timeout, enough_for_a_connect)) to.doubt(address);
  return time_is_left ? GoOn::with_the_next : GoOn::not_at_all;
}

net::Task<Result<net::EndPtr>> Dialer::connect_to(Dial dial, const SocketAddress& address) {
  dial.waiter.deadline(std::min(dial.until, Clock::now() + options_.connect_timeout),
                       ErrorKind::gateway_connect_timeout);
  auto socket = net::open_leg(address);
  if (!socket) co_return error_of_this_host(errno);
  if (reserve_.holds(socket.get())) co_return Error{ErrorKind::out_of_descriptors, "the last are kept free"};
  const KernelAddress kernel(address);
  if (::connect(socket.get(), kernel.get(), kernel.length) != 0 && errno != EINPROGRESS) {
    co_return error_of_this_host(errno);
  }
  auto upstream = shard_.set().add(std::move(socket));
  if (!upstream) co_return Error{ErrorKind::out_of_descriptors, std::generic_category().message(errno)};
  const auto ready = co_await dial.waiter.writable(*upstream);
  if (ready.has_error()) co_return ready.error();
  if (const int error = upstream->take_error(); error != 0) co_return error_of_connect(error);
  co_return upstream;
}

net::Task<Result<void>> Dialer::shake_hands(Dial dial, Endpoint& to, net::End& upstream) {
  const auto& server_name = options_.tls.server_name.empty() ? to.options().host : options_.tls.server_name;
  auto session = tls_->open(upstream.fd(), server_name, to.name());
  if (!session) co_return Error{ErrorKind::gateway_tls_failed, "OpenSSL gives no session"};
  upstream.wrap(std::move(session));
  for (;;) {
    const auto step = upstream.handshake();
    if (step == net::TlsSession::Step::done) co_return Result<void>();
    if (step == net::TlsSession::Step::failed) {
      const auto failure = net::TlsClient::failure_of(upstream.tls());
      co_return Error{failure.certificate ? ErrorKind::gateway_certificate : ErrorKind::gateway_tls_failed,
                      failure.text};
    }
    const auto ready = step == net::TlsSession::Step::want_read ? co_await dial.waiter.readable(upstream)
                                                                : co_await dial.waiter.writable(upstream);
    if (ready.has_error()) co_return ready.error();
  }
}

// With others to try after this one, an even share of what is left, but no less than a slow gateway may need.
TimePoint Dialer::share(TimePoint until, std::size_t left) const {
  const auto now = Clock::now();
  const auto even = (until - now) / static_cast<std::int64_t>(left);
  return left == 1 ? until : std::min(until, now + std::max<Clock::duration>(even, options_.connect_timeout));
}

Error Dialer::counted(const Dial& dial, TimePoint begun, Error error) {
  counters_.dial_failures.increment(error.kind);
  // A client that had used up its budget when it came to dialing gave the endpoint no chance.
  const bool cut_short = Clock::now() >= dial.until && dial.until - begun < options_.connect_timeout;
  if (speaks_against_the_endpoint(error.kind) && !cut_short) {
    tell(dial.route.endpoint, endpoint(dial.route.endpoint).failed());
  }
  return error;
}

void Dialer::tell(EndpointIndex index, std::optional<EndpointNews> news) {
  if (news) observer_.on_endpoint(index, *news);
}

}  // namespace chipgate::gateway
