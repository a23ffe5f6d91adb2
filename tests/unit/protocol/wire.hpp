// What the protocol tests share: bytes as real clients write them, and random bytes that are the same in every run.
#pragma once

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace chipgate::protocol {

// Zero bytes included.
template <std::size_t N>
std::string raw(const char (&literal)[N]) {
  return {literal, N - 1};
}

struct ClientRequest {
  std::string_view client;
  std::string_view bytes;
  std::string_view target;
};

// Measured on the wire of each client.
inline constexpr std::array<ClientRequest, 14> connects{{
    {"https-proxy-agent 9",
     "CONNECT web.whatsapp.com:443 HTTP/1.1\r\nHost: web.whatsapp.com:443\r\nProxy-Connection: close\r\n\r\n",
     "web.whatsapp.com:443"},
    {"https-proxy-agent 9 with credentials",
     "CONNECT web.whatsapp.com:443 HTTP/1.1\r\nProxy-Authorization: Basic dXNlcjpwOnc=\r\n"
     "Host: web.whatsapp.com:443\r\nProxy-Connection: Keep-Alive\r\n\r\n",
     "web.whatsapp.com:443"},
    {"https-proxy-agent 5",
     "CONNECT mmg.whatsapp.net:443 HTTP/1.1\r\nHost: mmg.whatsapp.net\r\nConnection: close\r\n\r\n",
     "mmg.whatsapp.net:443"},
    {"undici 7",
     "CONNECT mmg.whatsapp.net:443 HTTP/1.1\r\nhost: mmg.whatsapp.net\r\nconnection: close\r\n"
     "proxy-authorization: Basic dXNlcjpwOnc=\r\nproxy-connection: keep-alive\r\n\r\n",
     "mmg.whatsapp.net:443"},
    {"undici 7 for http://", "CONNECT example.test:80 HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
     "example.test:80"},
    {"undici 6", "CONNECT mmg.whatsapp.net:443 HTTP/1.1\r\nhost: mmg.whatsapp.net:443\r\nconnection: close\r\n\r\n",
     "mmg.whatsapp.net:443"},
    {"hpagent",
     "CONNECT web.whatsapp.com:443 HTTP/1.1\r\nconnection: close\r\nhost: web.whatsapp.com:443\r\n"
     "proxy-authorization: Basic dXNlcjpwOnc=\r\n\r\n",
     "web.whatsapp.com:443"},
    {"tunnel", "CONNECT web.whatsapp.com:443 HTTP/1.1\r\nhost: web.whatsapp.com:443\r\nConnection: close\r\n\r\n",
     "web.whatsapp.com:443"},
    {"axios 1.21", "CONNECT mmg.whatsapp.net:443 HTTP/1.1\r\nHost: mmg.whatsapp.net\r\nConnection: close\r\n\r\n",
     "mmg.whatsapp.net:443"},
    {"Node 24's own",
     "CONNECT web.whatsapp.com:443 HTTP/1.1\r\nproxy-connection: keep-alive\r\nhost: web.whatsapp.com:443\r\n\r\n",
     "web.whatsapp.com:443"},
    {"Go",
     "CONNECT web.whatsapp.com:443 HTTP/1.1\r\nHost: web.whatsapp.com:443\r\nUser-Agent: Go-http-client/1.1\r\n\r\n",
     "web.whatsapp.com:443"},
    {"Chromium",
     "CONNECT web.whatsapp.com:443 HTTP/1.1\r\nHost: web.whatsapp.com:443\r\nProxy-Connection: keep-alive\r\n"
     "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\r\n",
     "web.whatsapp.com:443"},
    {"an HTTP/1.0 client", "CONNECT web.whatsapp.com:443 HTTP/1.0\r\n\r\n", "web.whatsapp.com:443"},
    {"an IPv6 target", "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n", "[2001:db8::1]:443"},
}};

class RandomBytes {
 public:
  explicit RandomBytes(unsigned seed) : engine_(seed) {}

  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_); }
  std::string next(std::size_t longest) {
    std::string bytes(below(longest + 1), '\0');
    for (auto& byte : bytes) byte = static_cast<char>(below(256));
    return bytes;
  }
  // A valid text with a few bytes changed, removed, doubled or put in: deeper than pure noise gets.
  std::string mutate(std::string text) {
    constexpr std::string_view nasty{"\r\n\0 \t:,;[]@/0\x7f\xff", 16};
    for (auto changes = 1 + below(4); changes > 0 && !text.empty(); --changes) {
      const auto at = below(text.size());
      switch (below(4)) {
        case 0: text[at] = nasty[below(nasty.size())]; break;
        case 1: text.erase(at, 1); break;
        case 2: text.insert(at, text.substr(at, below(8))); break;
        default: text.insert(at, 1, nasty[below(nasty.size())]); break;
      }
    }
    return text;
  }

 private:
  std::mt19937 engine_;
};

}  // namespace chipgate::protocol
