// Building answers, and decoding what stands in a URL.
#include "chipgate/admin/http.hpp"

#include "chipgate/admin/options.hpp"
#include "chipgate/base/ascii.hpp"
#include "chipgate/telemetry/json.hpp"

namespace chipgate::admin {
namespace {

std::optional<int> hexadecimal(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const char letter = lower(digit);
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  return std::nullopt;
}

}  // namespace

Response error_response(unsigned status, std::string_view code, std::string_view message, std::string_view field) {
  telemetry::JsonObject error;
  error.add("code", code).add("message", message);
  if (!field.empty()) error.add("field", field);
  telemetry::JsonObject body;
  body.add("error", error);
  return {.status = status, .content_type = "application/json", .body = body.text() + '\n'};
}

std::optional<std::string> decode_segment(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const auto digits = text.substr(i + 1, 2);
    const auto high = digits.size() == 2 ? hexadecimal(digits[0]) : std::nullopt;
    const auto low = digits.size() == 2 ? hexadecimal(digits[1]) : std::nullopt;
    if (!high || !low) return std::nullopt;
    decoded += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return decoded;
}

std::optional<std::string> decode_query(std::string_view text) {
  std::string spaced(text);
  for (auto& c : spaced) {
    if (c == '+') c = ' ';
  }
  return decode_segment(spaced);
}

std::string listen_text(const AdminOptions& options) {
  return options.unix_socket.empty() ? options.listen.text() : "unix:" + options.unix_socket;
}

}  // namespace chipgate::admin
