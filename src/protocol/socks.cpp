// What SOCKS clients say, and what they are answered.
#include "chipgate/protocol/socks.hpp"

#include "socks_bytes.hpp"

#include <algorithm>
#include <utility>

namespace chipgate::protocol {
namespace {

constexpr std::uint8_t version5 = 5;
constexpr std::uint8_t version4 = 4;
constexpr std::uint8_t password_version = 1;  // RFC 1929
// Neither has a limit of its own in SOCKS4.
constexpr std::size_t longest_socks4_text = 255;

Error malformed(std::string why) { return {ErrorKind::malformed_request, std::move(why)}; }

SocksCommand command_of(std::uint8_t byte) {
  switch (byte) {
    case 1: return SocksCommand::connect;
    case 2: return SocksCommand::bind;
    case 3: return SocksCommand::udp_associate;
    default: return SocksCommand::unknown;
  }
}

Parse<SocksRequest> finish_request(SocksCommand command, std::string_view host, std::uint16_t port, std::size_t bytes) {
  if (command != SocksCommand::connect) return Taken<SocksRequest>{{command, {}}, bytes};
  return Taken<SocksRequest>{{command, make_authority(host, port).value_or(Authority{})}, bytes};
}

// Text up to a zero byte; nullopt while that is missing.
Result<std::optional<std::string_view>> take_text(ByteReader& reader) {
  const auto zero = reader.rest().find('\0');
  if (std::min(zero, reader.rest().size()) > longest_socks4_text) return malformed("an endless text in SOCKS4");
  if (zero == std::string_view::npos) return std::optional<std::string_view>{};
  const auto text = reader.take(zero);
  reader.take(1);
  return std::optional(text);
}

// 0.0.0.x with x not 0: a name follows (SOCKS4a).
bool announces_name(std::string_view address) {
  return address.substr(0, 3) == std::string_view("\0\0\0", 3) && address[3] != '\0';
}

}  // namespace

Parse<SocksGreeting> parse_socks5_greeting(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto version = reader.u8();
  if (!bytes.empty() && version != version5) return malformed("not a SOCKS5 greeting");
  const auto methods = reader.counted();
  if (reader.short_of_bytes()) return std::nullopt;
  const auto offered = [&](SocksMethod method) {
    return methods.find(static_cast<char>(method)) != std::string_view::npos;
  };
  return Taken<SocksGreeting>{{offered(SocksMethod::no_auth), offered(SocksMethod::password)}, reader.taken()};
}

Parse<BasicCredentials> parse_socks5_credentials(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto version = reader.u8();
  if (!bytes.empty() && version != password_version) return malformed("not a SOCKS5 password");
  const auto username = reader.counted();
  const auto password = reader.counted();
  if (reader.short_of_bytes()) return std::nullopt;
  return Taken<BasicCredentials>{{std::string(username), Secret(std::string(password))}, reader.taken()};
}

Parse<SocksRequest> parse_socks5_request(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto version = reader.u8();
  if (!bytes.empty() && version != version5) return malformed("not a SOCKS5 request");
  const auto command = command_of(reader.u8());
  reader.u8();  // reserved; clients are known to leave anything there
  const auto atyp = reader.u8();
  if (reader.short_of_bytes()) return std::nullopt;
  const auto host = read_host(reader, atyp);
  // Its length is unknown too, so that no later byte would help.
  if (!host) return Error{ErrorKind::socks_address_unknown};
  const auto port = reader.u16();
  if (reader.short_of_bytes()) return std::nullopt;
  return finish_request(command, *host, port, reader.taken());
}

Parse<SocksRequest> parse_socks4_request(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto version = reader.u8();
  if (!bytes.empty() && version != version4) return malformed("not a SOCKS4 request");
  const auto command = command_of(reader.u8());
  const auto port = reader.u16();
  const auto address = reader.take(4);
  if (reader.short_of_bytes()) return std::nullopt;
  const auto user = take_text(reader);
  if (!user) return user.error();
  if (!*user) return std::nullopt;
  if (!announces_name(address)) {
    return finish_request(command, IpAddress::v4(bytes_of<4>(address)).text(), port, reader.taken());
  }
  const auto name = take_text(reader);
  if (!name) return name.error();
  if (!*name) return std::nullopt;
  return finish_request(command, **name, port, reader.taken());
}

std::string socks5_method(SocksMethod method) { return {static_cast<char>(version5), static_cast<char>(method)}; }

std::string socks5_auth_status(SocksAuth status) {
  return {static_cast<char>(password_version), status == SocksAuth::accepted ? '\0' : '\1'};
}

// The bound address is chipgate's own affair: 0.0.0.0:0, which every client accepts.
std::string socks5_reply(std::uint8_t rep) {
  return {static_cast<char>(version5), static_cast<char>(rep), 0, static_cast<char>(atyp_v4), 0, 0, 0, 0, 0, 0};
}

std::string socks4_reply(Socks4Outcome outcome) {
  return {0, outcome == Socks4Outcome::granted ? '\x5a' : '\x5b', 0, 0, 0, 0, 0, 0};
}

}  // namespace chipgate::protocol
