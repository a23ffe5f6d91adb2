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

Error error_of_connect(int error) {
  const auto detail = std::generic_category().message(error);
  switch (error) {
    case ECONNREFUSED:
    case ECONNRESET: return {ErrorKind::gateway_refused, detail};
    case ETIMEDOUT: return {ErrorKind::gateway_connect_timeout, detail};
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL: return {ErrorKind::out_of_descriptors, detail};
    default: return {ErrorKind::gateway_unreachable, detail};
  }
}

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

}  // namespace

Dialer::Dialer(net::Shard& shard, const GatewayOptions& options, telemetry::ShardCounters& counters,
               EndpointObserver& observer)
    : shard_(shard), options_(options), counters_(counters), observer_(observer), reserve_(kept_descriptors) {
  for (const auto& endpoint : options_.endpoints) endpoints_.emplace_back(endpoint);
  const auto is_https = [](const auto& endpoint) { return endpoint.kind == EndpointKind::https; };
  if (std::ranges::any_of(options_.endpoints, is_https)) tls_.emplace(options_.tls.ca_file);
}

net::Task<Result<Connected>> Dialer::dial(Dial dial, protocol::Authority target) {
  auto upstream = co_await reach(dial);
  if (upstream.has_error()) co_return upstream.error();
  dial.watch.enter(telemetry::Stage::reply);
  dial.waiter.deadline(dial.until, ErrorKind::gateway_silent);
  auto connected = co_await ask(dial, std::move(*upstream), target);
  dial.watch.leave();
  if (connected.has_error()) co_return counted(dial.route.endpoint, connected.error());
  tell(dial.route.endpoint, endpoint(dial.route.endpoint).succeeded());
  co_return connected;
}

net::Task<Result<net::EndPtr>> Dialer::reach_for_requests(Dial dial, protocol::Authority target) {
  if (kind(dial.route) != EndpointKind::socks5) co_return co_await reach(dial);
  auto connected = co_await this->dial(dial, std::move(target));
  if (connected.has_error()) co_return connected.error();
  co_return std::move(connected->upstream);
}

net::Task<Result<Connected>> Dialer::ask(Dial dial, net::EndPtr upstream, const protocol::Authority& target) {
  if (kind(dial.route) == EndpointKind::socks5) {
    co_return co_await ask_socks5(dial.waiter, std::move(upstream), dial.route, target);
  }
  co_return co_await ask_http(dial.waiter, std::move(upstream), dial.route, target);
}

net::Task<Result<net::EndPtr>> Dialer::reach(Dial dial) {
  counters_.dials.increment();
  auto& to = endpoint(dial.route.endpoint);
  dial.watch.enter(telemetry::Stage::connect);
  auto upstream = co_await connect_tcp(dial, to);
  dial.watch.leave();
  if (upstream.has_error()) co_return counted(dial.route.endpoint, upstream.error());
  if (to.options().kind == EndpointKind::https) {
    dial.watch.enter(telemetry::Stage::tls);
    const auto shaken = co_await shake_hands(dial, to, **upstream);
    dial.watch.leave();
    if (shaken.has_error()) co_return counted(dial.route.endpoint, shaken.error());
  }
  co_return upstream;
}

net::Task<Result<net::EndPtr>> Dialer::connect_tcp(Dial dial, Endpoint& to) {
  dial.waiter.deadline(dial.until, ErrorKind::gateway_unresolved);
  const Endpoint::Waiting waiting(to, dial.waiter);
  auto addresses = to.addresses();
  while (!addresses) {
    const auto slept = co_await dial.waiter.sleep();
    if (slept.has_error()) co_return slept.error();
    addresses = to.addresses();
  }
  if (addresses->has_error()) co_return addresses->error();
  Error last{ErrorKind::gateway_unresolved};
  const auto candidates = **addresses;
  for (const auto& address : candidates) {
    auto upstream = co_await connect_to(dial, address);
    if (upstream.has_value()) {
      to.prefer(address);
      co_return upstream;
    }
    last = upstream.error();
    // The next address helps only against what is this address's own.
    if (!speaks_against_the_endpoint(last.kind) || Clock::now() >= dial.until) break;
  }
  co_return last;
}

net::Task<Result<net::EndPtr>> Dialer::connect_to(Dial dial, const SocketAddress& address) {
  dial.waiter.deadline(std::min(dial.until, Clock::now() + options_.connect_timeout),
                       ErrorKind::gateway_connect_timeout);
  auto socket = net::open_leg(address);
  if (!socket) co_return error_of_connect(errno);
  if (reserve_.holds(socket.get())) co_return Error{ErrorKind::out_of_descriptors, "the last are kept free"};
  const KernelAddress kernel(address);
  if (::connect(socket.get(), kernel.get(), kernel.length) != 0 && errno != EINPROGRESS) {
    co_return error_of_connect(errno);
  }
  auto upstream = shard_.set().add(std::move(socket));
  const auto ready = co_await dial.waiter.writable(*upstream);
  if (ready.has_error()) co_return ready.error();
  if (const int error = upstream->take_error(); error != 0) co_return error_of_connect(error);
  co_return upstream;
}

net::Task<Result<void>> Dialer::shake_hands(Dial dial, Endpoint& to, net::End& upstream) {
  dial.waiter.deadline(dial.until, ErrorKind::gateway_tls_failed);
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

Error Dialer::counted(EndpointIndex index, Error error) {
  counters_.dial_failures.increment(error.kind);
  if (speaks_against_the_endpoint(error.kind)) {
    tell(index, endpoint(index).failed());
  } else if (info(error.kind).fault == Fault::provider) {
    tell(index, endpoint(index).succeeded());
  }
  return error;
}

void Dialer::tell(EndpointIndex index, std::optional<EndpointNews> news) {
  if (news) observer_.on_endpoint(index, *news);
}

}  // namespace chipgate::gateway
