// Building routes.
#include "chipgate/gateway/route.hpp"

#include "chipgate/protocol/basic.hpp"
#include "chipgate/protocol/socks.hpp"
#include "chipgate/provider/status.hpp"

#include <algorithm>
#include <string_view>

namespace chipgate::gateway {
namespace {

// "Proxy-Authorization: Basic <this>\r\n"
std::string_view token_of(std::string_view line) {
  line.remove_suffix(std::string_view("\r\n").size());
  return line.substr(line.rfind(' ') + 1);
}

// RFC 1929: version, length, username, length, <this>
std::string_view password_of(std::string_view message) {
  return message.substr(3 + static_cast<unsigned char>(message[1]));
}

}  // namespace

RoutePtr make_route(const SessionIdentifier& session, Epoch epoch, EndpointIndex endpoint,
                    const provider::Credentials& credentials, IpLiterals ip_literals) {
  const auto username = credentials.username.reveal();
  const auto password = credentials.password.reveal();
  return std::make_shared<const Route>(Route{session, epoch, endpoint,
                                             protocol::basic_credentials_line(username, password),
                                             protocol::socks5_client_credentials(username, password), ip_literals});
}

RoutePtr with_exits(const Route& route, std::vector<IpAddress> exits) {
  auto known = route;
  known.exits = std::move(exits);
  return std::make_shared<const Route>(std::move(known));
}

ExitVerdict verdict_on(const Route& route, const IpAddress& seen) {
  auto verdict = ExitVerdict::unknown;
  for (const auto& exit : route.exits) {
    if (exit == seen) return ExitVerdict::same;
    if (exit.is_v4() == seen.is_v4()) verdict = ExitVerdict::other;
  }
  return verdict;
}

Error error_of_status(const Route& route, unsigned status, const protocol::Fields& fields) {
  const auto token = token_of(route.authorization_line.reveal());
  const auto password = password_of(route.socks_credentials.reveal());
  const bool repeated = std::ranges::any_of(fields, [&](const auto& field) {
    const std::string_view value(field.value);
    return value.find(token) != value.npos || value.find(password) != value.npos;
  });
  return provider::classify_connect_status(status, repeated ? protocol::Fields() : fields);
}

}  // namespace chipgate::gateway
