// The gateway as a SOCKS5 server with username and password.
#include "chipgate/protocol/socks.hpp"
#include "sim/gateway.hpp"
#include "sim/world.hpp"

namespace chipgate::sim {
namespace {

constexpr std::uint8_t command_not_supported = 7;

// The next message of the client; nothing where it ended or made no sense.
template <class T>
net::Task<std::optional<T>> next(Connection& connection, Leg& client, protocol::Parse<T> (*parse)(std::string_view)) {
  for (;;) {
    auto parsed = parse(client.inbox);
    if (parsed.has_error()) {
      ++connection.world().stats.malformed;
      co_return std::nullopt;
    }
    if (auto& taken = *parsed) {
      client.inbox.erase(0, taken->bytes);
      co_return std::move(taken->value);
    }
    const bool more = co_await fill(connection, client);
    if (!more) co_return std::nullopt;
  }
}

net::Task<std::optional<Login>> authenticate(Connection& connection, Leg& client) {
  auto& world = connection.world();
  const auto greeting = co_await next(connection, client, protocol::parse_socks5_greeting);
  if (!greeting) co_return std::nullopt;
  if (!greeting->password) {
    ++world.stats.auth_failures;
    const auto none = protocol::socks5_method(protocol::SocksMethod::none_acceptable);
    co_await send(connection, client, none);
    co_return std::nullopt;
  }
  const auto method = protocol::socks5_method(protocol::SocksMethod::password);
  const bool asked = co_await send(connection, client, method);
  if (!asked) co_return std::nullopt;
  const auto credentials = co_await next(connection, client, protocol::parse_socks5_credentials);
  if (!credentials) co_return std::nullopt;
  auto login = log_in(world.options.account, credentials->username, credentials->password.reveal());
  const Asked about{ListenerKind::socks5, login, {}};
  const bool good =
      login.verdict == LoginVerdict::accepted && !world.strike(FaultStage::auth, circumstances(about, {}));
  if (!good) ++world.stats.auth_failures;
  const auto status =
      protocol::socks5_auth_status(good ? protocol::SocksAuth::accepted : protocol::SocksAuth::rejected);
  const bool told = co_await send(connection, client, status);
  if (!told || !good) co_return std::nullopt;
  co_return login;
}

}  // namespace

net::Task<void> serve_socks(Connection& connection, Leg& client) {
  auto login = co_await authenticate(connection, client);
  if (!login) {
    co_await close_gently(connection, client);
    co_return;
  }
  auto request = co_await next(connection, client, protocol::parse_socks5_request);
  if (!request) co_return;
  if (request->command != protocol::SocksCommand::connect) {
    Fault unsupported;
    unsupported.rep = command_not_supported;
    co_return co_await refuse(connection, client, ListenerKind::socks5, std::move(unsupported));
  }
  Asked asked{ListenerKind::socks5, std::move(*login), std::move(request->target)};
  co_await open_tunnel(connection, client, std::move(asked));
}

}  // namespace chipgate::sim
