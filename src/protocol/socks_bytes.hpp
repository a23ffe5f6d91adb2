// Reading SOCKS messages from bytes that may not all be there.
#pragma once

#include "chipgate/base/address.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chipgate::protocol {

// Address types of SOCKS5 (RFC 1928 section 5).
inline constexpr std::uint8_t atyp_v4 = 1;
inline constexpr std::uint8_t atyp_name = 3;
inline constexpr std::uint8_t atyp_v6 = 4;

// Takes fields from the front. Once one is not there in full, it and all later ones are empty: whoever reads asks
// short_of_bytes() once, before it believes any of them.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : all_(bytes), rest_(bytes) {}

  std::string_view take(std::size_t count) {
    if (short_ || rest_.size() < count) {
      short_ = true;
      return {};
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint8_t u8() {
    const auto byte = take(1);
    return byte.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(byte.front());
  }
  std::uint16_t u16() {
    const auto high = u8();
    const auto low = u8();
    return static_cast<std::uint16_t>(high << 8 | low);
  }
  // A length byte and as many bytes.
  std::string_view counted() { return take(u8()); }

  bool short_of_bytes() const { return short_; }
  std::size_t taken() const { return all_.size() - rest_.size(); }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view all_;
  std::string_view rest_;
  bool short_ = false;
};

template <std::size_t N>
std::array<std::uint8_t, N> bytes_of(std::string_view text) {
  std::array<std::uint8_t, N> bytes{};
  for (std::size_t i = 0; i < N && i < text.size(); ++i) bytes[i] = static_cast<std::uint8_t>(text[i]);
  return bytes;
}

// The host of a SOCKS5 address as text; nullopt for an unknown type. Empty while bytes are missing.
inline std::optional<std::string> read_host(ByteReader& reader, std::uint8_t atyp) {
  switch (atyp) {
    case atyp_v4: return IpAddress::v4(bytes_of<4>(reader.take(4))).text();
    case atyp_v6: return IpAddress::v6(bytes_of<16>(reader.take(16))).text();
    case atyp_name: return std::string(reader.counted());
    default: return std::nullopt;
  }
}

}  // namespace chipgate::protocol
