// One port speaks HTTP, SOCKS5 and SOCKS4a: the client's first byte says which.
#pragma once

#include <cstdint>
#include <optional>

namespace chipgate::protocol {

enum class ClientProtocol : std::uint8_t { http, socks5, socks4 };

// nullopt: none of them (a TLS ClientHello, for one).
std::optional<ClientProtocol> sniff(char first_byte);

}  // namespace chipgate::protocol
