// Sockets and names.
#include "dial.hpp"

#include "chipgate/base/address.hpp"
#include "chipgate/base/ascii.hpp"
#include "chipgate/cli/commands.hpp"
#include "chipgate/net/resolver.hpp"
#include "chipgate/protocol/authority.hpp"

#include <cerrno>
#include <future>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <system_error>

namespace chipgate::cli {
namespace {

[[noreturn]] void unreachable(const AdminAddress& address, const std::string& why) {
  throw Failed(exit_unavailable, "no chipgate answers at " + address.text() + ": " + why);
}

std::string error_text() { return std::generic_category().message(errno); }

net::UniqueFd open_socket(int family, Milliseconds patience) {
  net::UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience);
  const timeval bound{seconds.count(), 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
  return fd;
}

net::UniqueFd dial_unix(const AdminAddress& address, Milliseconds patience) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.unix_socket.size() >= sizeof name.sun_path) unreachable(address, "the path is too long for a socket");
  address.unix_socket.copy(name.sun_path, sizeof name.sun_path - 1);
  auto fd = open_socket(AF_UNIX, patience);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    unreachable(address, error_text());
  }
  return fd;
}

std::vector<IpAddress> look_up(const AdminAddress& address) {
  net::SystemResolver resolver;
  std::promise<net::Resolver::Answer> promise;
  resolver.resolve(address.host, [&](net::Resolver::Answer answer) { promise.set_value(std::move(answer)); });
  auto answer = promise.get_future().get();
  if (answer.has_error()) unreachable(address, answer.error().detail);
  return std::move(*answer);
}

}  // namespace

net::UniqueFd dial(const AdminAddress& address, Milliseconds patience) {
  if (!address.unix_socket.empty()) return dial_unix(address, patience);
  std::string why;
  for (const auto& ip : look_up(address)) {
    const KernelAddress kernel(SocketAddress{ip, address.port});
    auto fd = open_socket(ip.is_v4() ? AF_INET : AF_INET6, patience);
    if (::connect(fd.get(), kernel.get(), kernel.length) == 0) return fd;
    why = error_text();
  }
  unreachable(address, why);
}

AdminAddress AdminAddress::parse(std::string_view text) {
  constexpr std::string_view unix = "unix:";
  constexpr std::string_view http = "http://";
  AdminAddress address;
  if (text.starts_with(unix) && text.size() > unix.size()) {
    address.unix_socket = text.substr(unix.size());
    return address;
  }
  auto rest = text.starts_with(http) ? text.substr(http.size()) : text;
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto authority = protocol::parse_authority(rest, address.port);
  if (!authority) {
    throw Failed(exit_usage, "'" + std::string(text) + "' is neither http://host:port nor unix:path");
  }
  address.host = authority->host;
  address.port = authority->port;
  return address;
}

std::string AdminAddress::text() const {
  if (!unix_socket.empty()) return "unix:" + unix_socket;
  return "http://" + protocol::Authority{host, port}.text();
}

}  // namespace chipgate::cli
