// Escaping any bytes into JSON.
#include "chipgate/telemetry/json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace chipgate::telemetry {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

unsigned char byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

bool continues(std::string_view text, std::size_t at) { return at < text.size() && (byte_at(text, at) & 0xc0) == 0x80; }

// The length of the well-formed UTF-8 sequence of two to four bytes at the beginning of the text, or 0 (Unicode table
// 3-7: neither overlong forms nor surrogates nor anything above U+10FFFF).
std::size_t sequence_length(std::string_view text) {
  const auto first = byte_at(text, 0);
  if (!continues(text, 1)) return 0;
  const auto second = byte_at(text, 1);
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) {
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
    return continues(text, 2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
    return continues(text, 2) && continues(text, 3) ? 4 : 0;
  }
  return 0;
}

std::string code_unit(unsigned value) {
  std::array<char, 8> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "\\u%04x", value);
  return buffer.data();
}

std::string escape_ascii(char c) {
  switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: break;
  }
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20 || byte == 0x7f) return code_unit(byte);
  return std::string(1, c);
}

template <class Number>
std::string number(Number value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

struct Writer {
  std::string operator()(std::string_view text) const { return '"' + escape(text) + '"'; }
  std::string operator()(std::int64_t value) const { return number(value); }
  std::string operator()(std::uint64_t value) const { return number(value); }
  // JSON has no word for what is not a number.
  std::string operator()(double value) const { return std::isfinite(value) ? number(value) : "null"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
};

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t taken = 1;
    if (byte_at(text, 0) < 0x80) {
      out += escape_ascii(text.front());
    } else if (taken = sequence_length(text); taken == 0) {
      out += replacement;
      taken = 1;
    } else if (byte_at(text, 0) == 0xc2 && byte_at(text, 1) < 0xa0) {
      out += code_unit(byte_at(text, 1));
    } else {
      out += text.substr(0, taken);
    }
    text.remove_prefix(taken);
  }
  return out;
}

std::string json(const LogValue& value) { return std::visit(Writer{}, value.variant()); }

JsonObject& JsonObject::add(std::string_view key, const LogValue& value) {
  add_key(key);
  text_ += json(value);
  return *this;
}

JsonObject& JsonObject::add(std::string_view key, const JsonObject& value) {
  add_key(key);
  text_ += value.text();
  return *this;
}

void JsonObject::add_key(std::string_view key) {
  if (text_.size() > 1) text_ += ',';
  text_ += '"' + escape(key) + "\":";
}

}  // namespace chipgate::telemetry
