// Base64 and the Basic scheme.
#include "chipgate/protocol/basic.hpp"

#include "chipgate/base/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace chipgate::protocol {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Up to three bytes as four digits.
void append_group(std::string& out, std::string_view bytes) {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
  for (std::size_t i = 0; i < 4; ++i) out += i <= bytes.size() ? alphabet[bits >> (18 - 6 * i) & 63U] : '=';
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(3, bytes.size()))) {
    append_group(out, bytes.substr(0, 3));
  }
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned held = 0;  // how many of the low bits are not written yet
  for (const char c : text) {
    const auto digit = alphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xffU);
  }
  return out;
}

Secret basic_credentials_line(std::string_view username, std::string_view password) {
  const Secret plain(join(std::array<std::string_view, 3>{username, ":", password}));
  const Secret token(base64_encode(plain.reveal()));
  return Secret(join(std::array<std::string_view, 3>{"Proxy-Authorization: Basic ", token.reveal(), "\r\n"}));
}

std::optional<BasicCredentials> parse_basic(std::string_view header_value) {
  constexpr std::string_view scheme = "Basic ";
  const auto value = trim(header_value);
  if (!equals_ignoring_case(value.substr(0, scheme.size()), scheme)) return std::nullopt;
  auto decoded = base64_decode(trim(value.substr(scheme.size())));
  if (!decoded) return std::nullopt;
  const Secret plain(std::move(*decoded));
  const auto colon = plain.reveal().find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return BasicCredentials{std::string(plain.reveal().substr(0, colon)),
                          Secret(std::string(plain.reveal().substr(colon + 1)))};
}

}  // namespace chipgate::protocol
