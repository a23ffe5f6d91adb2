// Building routes.
#include "chipgate/gateway/route.hpp"

#include "chipgate/protocol/basic.hpp"
#include "chipgate/protocol/socks.hpp"

namespace chipgate::gateway {

RoutePtr make_route(const SessionIdentifier& session, Epoch epoch, EndpointIndex endpoint,
                    const provider::Credentials& credentials, IpLiterals ip_literals) {
  const auto username = credentials.username.reveal();
  const auto password = credentials.password.reveal();
  return std::make_shared<const Route>(Route{session, epoch, endpoint,
                                             protocol::basic_credentials_line(username, password),
                                             protocol::socks5_client_credentials(username, password), ip_literals});
}

}  // namespace chipgate::gateway
