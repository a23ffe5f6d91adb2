// Text as protocols see it: ASCII, without a locale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace chipgate {

bool is_digit(char);
bool is_letter(char);
bool is_alphanumeric(char);
char lower(char);
std::string lower(std::string_view);
bool equals_ignoring_case(std::string_view, std::string_view);
// Without spaces and tabs at both ends (RFC 9110 section 5.6.3 OWS).
std::string_view trim(std::string_view);
// For logs and headers, from peers: what is no printable ASCII becomes '?', and the rest is cut.
std::string printable(std::string_view, std::size_t longest);
// One string that never grows, since one that grows leaves its old text behind in freed memory.
std::string join(std::span<const std::string_view> pieces);
// Digits only, no sign, no leading zero but "0" itself, at most `largest`.
std::optional<std::uint64_t> parse_decimal(std::string_view, std::uint64_t largest);

}  // namespace chipgate
