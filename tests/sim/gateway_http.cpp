// The gateway as an HTTP proxy: CONNECT, and absolute-form requests.
#include "chipgate/protocol/basic.hpp"
#include "chipgate/protocol/http_reader.hpp"
#include "chipgate/protocol/http_rewrite.hpp"
#include "sim/answers.hpp"
#include "sim/dial.hpp"
#include "sim/gateway.hpp"
#include "sim/http_io.hpp"
#include "sim/world.hpp"

namespace chipgate::sim {
namespace {

// The way to the origin that the last absolute-form request took; the next one takes it again if it asks for the same.
struct Way {
  Leg leg{};
  IpAddress exit;
  protocol::Authority target;
  std::optional<std::string> session{};
};

Login login_of(const Account& account, const protocol::RequestHead& head) {
  const auto header = head.fields.find("Proxy-Authorization");
  const auto credentials = header ? protocol::parse_basic(*header) : std::nullopt;
  if (!credentials) return {LoginVerdict::unknown_user};
  return log_in(account, credentials->username, credentials->password.reveal());
}

// Why the login is refused, if it is.
std::optional<Fault> objection(World& world, const Asked& asked) {
  const auto target = asked.target.text();
  if (asked.login.verdict != LoginVerdict::accepted) return unauthorized(name(asked.login.verdict));
  if (world.strike(FaultStage::auth, circumstances(asked, target))) return unauthorized("rejected by order");
  return std::nullopt;
}

net::Task<bool> find_way(Connection& connection, Way& way, Asked asked) {
  auto& world = connection.world();
  const auto& session = asked.login.session;
  const auto exit = session ? world.sessions.exit_for(*session, Clock::now()) : world.sessions.rotating_exit();
  const bool same = way.leg.end && way.exit == exit && way.target == asked.target && way.session == session;
  if (same && !way.leg.end->hung_up()) co_return true;
  way = Way{Leg{co_await dial(connection, exit, asked)}, exit, asked.target, session};
  co_return way.leg.end != nullptr;
}

// true: the client may send another request.
net::Task<bool> exchange(Connection& connection, Leg& client, Way& way, protocol::RequestReader& reader,
                         const protocol::HttpUrl& url) {
  const auto& head = reader.head();
  const auto request = protocol::forward_request_head(head, url, protocol::TargetForm::origin, "");
  const bool sent = co_await send(connection, way.leg, std::string(request.reveal()));
  if (!sent) co_return false;
  const bool whole = co_await pass_body(connection, client, way.leg, reader);
  if (!whole) co_return false;
  const auto kind = head.method == "HEAD" ? protocol::ResponseTo::head : protocol::ResponseTo::other;
  for (;;) {
    protocol::ResponseReader response(kind);
    const auto answered = co_await read_head(connection, way.leg, response);
    if (answered != HeadOutcome::complete) co_return false;
    const auto keep = response.body_until_eof() ? protocol::KeepAlive::no : protocol::keep_alive(head);
    const auto answer = protocol::forward_response_head(response.head(), keep);
    const bool told = co_await send(connection, client, answer);
    if (!told) co_return false;
    const bool passed = co_await pass_body(connection, way.leg, client, response);
    if (!passed) co_return false;
    if (response.head().status >= 200) co_return keep == protocol::KeepAlive::yes;
  }
}

net::Task<bool> forward(Connection& connection, Leg& client, ListenerKind listener, Way& way,
                        protocol::RequestReader& reader) {
  auto& world = connection.world();
  ++world.stats.requests;
  const auto url = protocol::parse_absolute_url(reader.head().target);
  if (url.has_error()) {
    co_await refuse(connection, client, listener, bad_request(info(url.error().kind).message));
    co_return false;
  }
  const Asked asked{listener, login_of(world.options.account, reader.head()), url->authority};
  if (auto refusal = objection(world, asked)) {
    ++world.stats.auth_failures;
    co_await refuse(connection, client, listener, std::move(*refusal));
    co_return false;
  }
  const auto target = asked.target.text();
  const auto fault = world.strike(FaultStage::connect, circumstances(asked, target));
  const bool stopped = co_await stopped_by(connection, client, asked, fault);
  if (stopped) co_return false;
  const bool found = co_await find_way(connection, way, asked);
  if (!found) {
    co_await refuse(connection, client, listener, unreachable());
    co_return false;
  }
  co_return co_await exchange(connection, client, way, reader, *url);
}

net::Task<void> serve_connect(Connection& connection, Leg& client, ListenerKind listener,
                              const protocol::RequestHead& head) {
  auto& world = connection.world();
  const auto target = protocol::parse_authority(head.target);
  if (!target) co_return co_await refuse(connection, client, listener, bad_request("CONNECT wants host:port"));
  Asked asked{listener, login_of(world.options.account, head), *target};
  if (auto refusal = objection(world, asked)) {
    ++world.stats.auth_failures;
    co_return co_await refuse(connection, client, listener, std::move(*refusal));
  }
  co_await open_tunnel(connection, client, std::move(asked));
}

}  // namespace

net::Task<void> serve_http(Connection& connection, Leg& client, ListenerKind listener) {
  Way way;
  for (;;) {
    protocol::RequestReader reader;
    const auto asked = co_await read_head(connection, client, reader);
    if (asked == HeadOutcome::ended) co_return;
    if (asked == HeadOutcome::malformed) {
      ++connection.world().stats.malformed;
      co_return co_await refuse(connection, client, listener, bad_request("not a request"));
    }
    if (reader.head().method == "CONNECT") {
      co_return co_await serve_connect(connection, client, listener, reader.head());
    }
    const bool again = co_await forward(connection, client, listener, way, reader);
    if (again) continue;
    if (client.end) co_await close_gently(connection, client);
    co_return;
  }
}

}  // namespace chipgate::sim
