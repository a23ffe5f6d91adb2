// IP addresses, sockets' addresses and networks, parsed once and always written in one form.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace chipgate {

// An IPv4 or IPv6 address without a zone. ::ffff:a.b.c.d is unmapped to a.b.c.d, so that one address has one form.
class IpAddress {
 public:
  static std::optional<IpAddress> parse(std::string_view text);
  static IpAddress v4(std::array<std::uint8_t, 4> bytes);
  static IpAddress v6(const std::array<std::uint8_t, 16>& bytes);

  bool is_v4() const { return v4_; }
  bool is_loopback() const;
  bool is_unspecified() const;
  // 4 bytes or 16, network order.
  std::string_view bytes() const;
  std::string text() const;
  // With nothing behind its first `bits` bits; as it is where it has no more of them.
  IpAddress masked(unsigned bits) const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  bool v4_ = true;
  std::array<std::uint8_t, 16> bytes_{};
};

// How many bits of an address targets tell exits apart by: two addresses that agree in them are one exit.
struct ExitPrefixes {
  unsigned v4 = 32;
  unsigned v6 = 64;

  unsigned bits(const IpAddress& address) const { return address.is_v4() ? v4 : v6; }
  IpAddress exit_of(const IpAddress& address) const { return address.masked(bits(address)); }
};

// "name:443", "192.0.2.1:443", and "[2001:db8::1]:443" for a host with colons in it.
std::string host_and_port_text(std::string_view host, std::uint16_t port);

// The two parts of host[:port], not looked at; brackets stay with the host.
struct HostAndPort {
  std::string_view host;
  std::optional<std::string_view> port;
};
HostAndPort split_host_and_port(std::string_view text);

// An address and a port, as the kernel takes and gives them.
struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;

  // "127.0.0.1:80", "[::1]:80".
  static std::optional<SocketAddress> parse(std::string_view text);
  static std::optional<SocketAddress> from(const sockaddr_storage& storage);
  std::string text() const;

  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
  friend bool operator==(const SocketAddress&, const SocketAddress&) = default;
};

// SocketAddress in the kernel's form, with its length.
struct KernelAddress {
  explicit KernelAddress(const SocketAddress&);
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  sockaddr_storage storage{};
  socklen_t length = 0;
};

SocketAddress local_address(int fd);
SocketAddress peer_address(int fd);

// "10.0.0.0/8", "fd00::/8", or one address.
class Network {
 public:
  static std::optional<Network> parse(std::string_view text);
  bool contains(const IpAddress&) const;
  std::string text() const;

 private:
  IpAddress base_;
  unsigned bits_ = 0;
};

}  // namespace chipgate
