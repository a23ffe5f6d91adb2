// Telling the client protocols apart.
#include "chipgate/protocol/sniff.hpp"

namespace chipgate::protocol {

std::optional<ClientProtocol> sniff(char first_byte) {
  if (first_byte == '\x05') return ClientProtocol::socks5;
  if (first_byte == '\x04') return ClientProtocol::socks4;
  const bool letter = (first_byte >= 'A' && first_byte <= 'Z') || (first_byte >= 'a' && first_byte <= 'z');
  if (letter) return ClientProtocol::http;
  return std::nullopt;
}

}  // namespace chipgate::protocol
