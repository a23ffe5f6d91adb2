// Parsing, printing and matching addresses.
#include "chipgate/base/address.hpp"

#include "chipgate/base/ascii.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>

namespace chipgate {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

SocketAddress of_socket(int fd, int (*ask)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (ask(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return SocketAddress::from(storage).value_or(SocketAddress{});
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // inet_pton wants an end mark. On the stack, since every target of every client is asked whether it is an address.
  std::array<char, INET6_ADDRSTRLEN> copy{};
  if (text.size() >= copy.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::ranges::copy(text, copy.begin());
  std::array<std::uint8_t, 4> four{};
  if (::inet_pton(AF_INET, copy.data(), four.data()) == 1) return v4(four);
  std::array<std::uint8_t, 16> sixteen{};
  if (::inet_pton(AF_INET6, copy.data(), sixteen.data()) == 1) return v6(sixteen);
  return std::nullopt;
}

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> bytes) {
  IpAddress address;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes) {
  if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin())) {
    return v4({bytes[12], bytes[13], bytes[14], bytes[15]});
  }
  IpAddress address;
  address.v4_ = false;
  address.bytes_ = bytes;
  return address;
}

bool IpAddress::is_loopback() const {
  if (v4_) return bytes_[0] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto byte) { return byte == 0; }) && bytes_[15] == 1;
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(bytes_, [](auto byte) { return byte == 0; });
}

std::string_view IpAddress::bytes() const {
  return {reinterpret_cast<const char*>(bytes_.data()), v4_ ? std::size_t{4} : bytes_.size()};
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  ::inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), buffer.data(), buffer.size());
  return buffer.data();
}

std::string host_and_port_text(std::string_view host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string_view::npos;
  return (v6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" + std::to_string(port);
}

HostAndPort split_host_and_port(std::string_view text) {
  const auto end_of_brackets = text.starts_with('[') ? text.find(']') : 0;
  if (end_of_brackets == std::string_view::npos) return {text, std::nullopt};
  const auto colon = text.find(':', end_of_brackets);
  if (colon == std::string_view::npos) return {text, std::nullopt};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
  auto [host, port_text] = split_host_and_port(text);
  if (!port_text) return std::nullopt;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto ip = IpAddress::parse(host);
  const auto port = parse_decimal(*port_text, 65535);
  if (!ip || !port || bracketed == ip->is_v4()) return std::nullopt;
  return SocketAddress{*ip, static_cast<std::uint16_t>(*port)};
}

std::optional<SocketAddress> SocketAddress::from(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(storage);
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &in.sin_addr, bytes.size());
    return SocketAddress{IpAddress::v4(bytes), ntohs(in.sin_port)};
  }
  if (storage.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(storage);
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &in6.sin6_addr, bytes.size());
    return SocketAddress{IpAddress::v6(bytes), ntohs(in6.sin6_port)};
  }
  return std::nullopt;
}

std::string SocketAddress::text() const { return host_and_port_text(ip.text(), port); }

KernelAddress::KernelAddress(const SocketAddress& address) {
  if (address.ip.is_v4()) {
    auto& in = reinterpret_cast<sockaddr_in&>(storage);
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    std::memcpy(&in.sin_addr, address.ip.bytes().data(), 4);
    length = sizeof in;
  } else {
    auto& in6 = reinterpret_cast<sockaddr_in6&>(storage);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(address.port);
    std::memcpy(&in6.sin6_addr, address.ip.bytes().data(), 16);
    length = sizeof in6;
  }
}

SocketAddress local_address(int fd) { return of_socket(fd, ::getsockname); }
SocketAddress peer_address(int fd) { return of_socket(fd, ::getpeername); }

IpAddress IpAddress::masked(unsigned bits) const {
  auto prefix = *this;
  for (std::size_t i = 0; i < prefix.bytes_.size(); ++i) {
    const auto kept = std::clamp(static_cast<int>(bits) - static_cast<int>(i * 8), 0, 8);
    prefix.bytes_[i] = static_cast<std::uint8_t>(prefix.bytes_[i] & (0xff00U >> kept));
  }
  return prefix;
}

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto base = IpAddress::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  const unsigned widest = base->is_v4() ? 32 : 128;
  Network network;
  network.base_ = *base;
  network.bits_ = widest;
  if (slash != std::string_view::npos) {
    const auto bits = parse_decimal(text.substr(slash + 1), widest);
    if (!bits) return std::nullopt;
    network.bits_ = static_cast<unsigned>(*bits);
  }
  return network;
}

bool Network::contains(const IpAddress& address) const {
  if (address.is_v4() != base_.is_v4()) return false;
  const auto ours = base_.bytes();
  const auto theirs = address.bytes();
  const std::size_t whole = bits_ / 8;
  if (ours.substr(0, whole) != theirs.substr(0, whole)) return false;
  if (bits_ % 8 == 0) return true;
  const auto shift = 8 - bits_ % 8;
  return (static_cast<unsigned char>(ours[whole]) >> shift) == (static_cast<unsigned char>(theirs[whole]) >> shift);
}

std::string Network::text() const { return base_.text() + "/" + std::to_string(bits_); }

}  // namespace chipgate
