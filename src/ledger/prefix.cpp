// Masking addresses.
#include "prefix.hpp"

#include <algorithm>
#include <array>

namespace chipgate::ledger {
namespace {

template <std::size_t size>
std::array<std::uint8_t, size> masked(std::string_view bytes, unsigned bits) {
  std::array<std::uint8_t, size> out{};
  for (std::size_t i = 0; i < size; ++i) {
    const auto kept = std::clamp(static_cast<int>(bits) - static_cast<int>(i * 8), 0, 8);
    out[i] = static_cast<std::uint8_t>(static_cast<std::uint8_t>(bytes[i]) & (0xff00U >> kept));
  }
  return out;
}

}  // namespace

std::string prefix_of(const IpAddress& address, const LedgerOptions& options) {
  const auto bits = address.is_v4() ? options.prefix_v4 : options.prefix_v6;
  const auto network = address.is_v4() ? IpAddress::v4(masked<4>(address.bytes(), bits))
                                       : IpAddress::v6(masked<16>(address.bytes(), bits));
  return network.text() + "/" + std::to_string(bits);
}

int family(const IpAddress& address) { return address.is_v4() ? 4 : 6; }

}  // namespace chipgate::ledger
