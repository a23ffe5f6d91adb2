// What a simulated provider is told before it starts, and where it can be reached afterwards.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/duration.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chipgate::sim {

enum class ListenerKind : std::uint8_t { http, https, socks5 };
inline constexpr std::size_t listener_kinds = 3;
std::string_view name(ListenerKind kind);

enum class CloseHow : std::uint8_t { fin, rst };

// Where the session stands: in the username after a marker, or in the password.
enum class Grammar : std::uint8_t { smartproxy, iproyal };

struct Account {
  Grammar grammar = Grammar::smartproxy;
  std::string username = "user";
  std::string password = "pass";
  std::string session_marker = "-session-";  // of smartproxy
};

// sequential gives every session an exit of its own until the pool is used up; random collides as real pools do.
enum class DrawOrder : std::uint8_t { sequential, random };

struct SessionRules {
  std::size_t pool = 250;
  Milliseconds idle = std::chrono::minutes(30);  // 0: none
  Milliseconds lifetime{0};                      // 0: none
  DrawOrder draw = DrawOrder::sequential;
  std::uint64_t seed = 1;
};

struct SimulatorOptions {
  SocketAddress http = *SocketAddress::parse("127.0.0.1:0");
  SocketAddress https = *SocketAddress::parse("127.0.0.1:0");
  SocketAddress socks5 = *SocketAddress::parse("127.0.0.1:0");
  SocketAddress api = *SocketAddress::parse("127.0.0.1:0");
  Account account;
  SessionRules sessions;
  Milliseconds latency{0};  // one round trip more before every CONNECT is answered
  std::string exit_header;  // the name of a header of the 200 that carries the exit address, as Bright Data's x-brd-ip
  std::vector<std::pair<std::string, std::string>> map;  // target -> loopback address, "host:443" -> "127.0.0.1:9000"
  std::string ca_out;                                    // where the CA's certificate is written, PEM
  std::string log_file;                                  // the origin log as JSON lines
  std::size_t log_entries = 200'000;                     // kept in memory
  bool log_payload = false;                              // the first bytes of every chunk, in hex
};

struct Ports {
  SocketAddress http;
  SocketAddress https;
  SocketAddress socks5;
  SocketAddress api;
  SocketAddress origin;
};

}  // namespace chipgate::sim
