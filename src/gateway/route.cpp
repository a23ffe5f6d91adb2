// Building routes.
#include "chipgate/gateway/route.hpp"

#include "chipgate/base/ascii.hpp"
#include "chipgate/protocol/basic.hpp"
#include "chipgate/protocol/socks.hpp"
#include "chipgate/provider/status.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace chipgate::gateway {
namespace {

// "Proxy-Authorization: Basic <this>\r\n"
std::string_view token_of(std::string_view line) {
  line.remove_suffix(std::string_view("\r\n").size());
  return line.substr(line.rfind(' ') + 1);
}

// RFC 1929: version, length, <this>, length, password
std::string_view username_of(std::string_view message) {
  return message.substr(2, static_cast<unsigned char>(message[1]));
}

// RFC 1929: version, length, username, length, <this>
std::string_view password_of(std::string_view message) {
  return message.substr(3 + static_cast<unsigned char>(message[1]));
}

// An origin's header may hold a shorter one by chance.
constexpr std::size_t shortest_in_an_answer = 6;

bool repeats_credentials(const Route& route, std::string_view text, std::size_t shortest) {
  const auto socks = route.socks_credentials.reveal();
  const std::array<std::string_view, 5> all{token_of(route.authorization_line.reveal()), username_of(socks),
                                            password_of(socks), route.account_username.reveal(),
                                            route.account_password.reveal()};
  return std::ranges::any_of(
      all, [&](std::string_view one) { return one.size() >= shortest && text.find(one) != std::string_view::npos; });
}

bool frames_the_body(std::string_view name) {
  return equals_ignoring_case(name, "Content-Length") || equals_ignoring_case(name, "Transfer-Encoding");
}

}  // namespace

RoutePtr make_route(const SessionIdentifier& session, Epoch epoch, EndpointIndex endpoint,
                    const provider::Credentials& credentials, IpLiterals ip_literals) {
  const auto username = credentials.username.reveal();
  const auto password = credentials.password.reveal();
  return std::make_shared<const Route>(Route{session, epoch, endpoint,
                                             protocol::basic_credentials_line(username, password),
                                             protocol::socks5_client_credentials(username, password),
                                             credentials.account_username, credentials.account_password, ip_literals});
}

RoutePtr with_exits(const Route& route, std::vector<IpAddress> exits, ExitPrefixes prefixes) {
  auto known = route;
  known.exits = std::move(exits);
  known.prefixes = prefixes;
  return std::make_shared<const Route>(std::move(known));
}

ExitVerdict verdict_on(const Route& route, const IpAddress& seen) {
  auto verdict = ExitVerdict::unknown;
  for (const auto& exit : route.exits) {
    if (exit.is_v4() != seen.is_v4()) continue;
    if (route.prefixes.exit_of(exit) == route.prefixes.exit_of(seen)) return ExitVerdict::same;
    verdict = ExitVerdict::other;
  }
  return verdict;
}

Error error_of_status(const Route& route, unsigned status, const protocol::Fields& fields) {
  const bool repeated =
      std::ranges::any_of(fields, [&](const auto& field) { return repeats_credentials(route, field.value, 1); });
  return provider::classify_connect_status(status, repeated ? protocol::Fields() : fields);
}

protocol::ResponseHead without_credentials(const Route& route, protocol::ResponseHead head) {
  const auto telling = [&](std::string_view text) { return repeats_credentials(route, text, shortest_in_an_answer); };
  if (telling(head.reason)) head.reason.clear();
  protocol::Fields kept;
  for (const auto& field : head.fields) {
    if (frames_the_body(field.name) || !(telling(field.value) || telling(field.name)))
      kept.add(field.name, field.value);
  }
  head.fields = std::move(kept);
  return head;
}

}  // namespace chipgate::gateway
