// What chipgate says to a SOCKS5 gateway, and what it hears.
#include "chipgate/protocol/socks.hpp"
#include "socks_bytes.hpp"

#include <stdexcept>
#include <utility>

namespace chipgate::protocol {
namespace {

constexpr std::size_t longest_counted = 255;

Error garbled(std::string why) { return {ErrorKind::gateway_garbled, std::move(why)}; }

void append_counted(std::string& out, std::string_view text) {
  if (text.size() > longest_counted) throw std::length_error("a SOCKS5 field of more than 255 bytes");
  out += static_cast<char>(text.size());
  out += text;
}

void append_address(std::string& out, const std::string& host) {
  const auto ip = IpAddress::parse(host);
  if (ip) {
    out += static_cast<char>(ip->is_v4() ? atyp_v4 : atyp_v6);
    out += ip->bytes();
  } else {
    out += static_cast<char>(atyp_name);
    append_counted(out, host);
  }
}

}  // namespace

std::string socks5_client_greeting() { return {5, 1, static_cast<char>(SocksMethod::password)}; }

Secret socks5_client_credentials(std::string_view username, std::string_view password) {
  std::string out;
  // A string that grows leaves its old text behind in freed memory.
  out.reserve(3 + username.size() + password.size());
  out += '\1';
  append_counted(out, username);
  append_counted(out, password);
  return Secret(std::move(out));
}

std::string socks5_client_request(const Authority& target) {
  std::string out{5, 1, 0};
  append_address(out, target.host);
  out += static_cast<char>(target.port >> 8);
  out += static_cast<char>(target.port & 0xff);
  return out;
}

Parse<SocksMethod> parse_socks5_method_answer(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto version = reader.u8();
  if (!bytes.empty() && version != 5) return garbled("not a SOCKS5 answer");
  const auto method = static_cast<SocksMethod>(reader.u8());
  if (reader.short_of_bytes()) return std::nullopt;
  if (method == SocksMethod::none_acceptable) return Error{ErrorKind::provider_auth, "the gateway takes no password"};
  if (method != SocksMethod::password) return garbled("a SOCKS5 method that was not offered");
  return Taken<SocksMethod>{method, reader.taken()};
}

Parse<SocksAuth> parse_socks5_auth_answer(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto version = reader.u8();
  // RFC 1929 says 1; servers that answer with SOCKS' own 5 are common enough that clients accept both.
  if (!bytes.empty() && version != 1 && version != 5) return garbled("not a SOCKS5 password answer");
  const auto status = reader.u8();
  if (reader.short_of_bytes()) return std::nullopt;
  if (status != 0) return Error{ErrorKind::provider_auth};
  return Taken<SocksAuth>{SocksAuth::accepted, reader.taken()};
}

Parse<std::uint8_t> parse_socks5_reply(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto version = reader.u8();
  if (!bytes.empty() && version != 5) return garbled("not a SOCKS5 reply");
  const auto rep = reader.u8();
  if (reader.short_of_bytes()) return std::nullopt;
  if (rep != 0) return Taken<std::uint8_t>{rep, bytes.size()};
  reader.u8();  // reserved
  const auto atyp = reader.u8();
  if (reader.short_of_bytes()) return std::nullopt;
  if (!read_host(reader, atyp)) return garbled("an unknown address type in a SOCKS5 reply");
  reader.u16();
  if (reader.short_of_bytes()) return std::nullopt;
  return Taken<std::uint8_t>{rep, reader.taken()};
}

ErrorKind error_of_socks_reply(std::uint8_t rep) {
  switch (rep) {
    case 2: return ErrorKind::provider_denied_target;
    case 3:
    case 4:
    case 5: return ErrorKind::target_unreachable;
    case 6: return ErrorKind::provider_exit_timeout;
    default: return ErrorKind::provider_refused;
  }
}

}  // namespace chipgate::protocol
