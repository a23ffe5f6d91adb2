// A small recursive JSON reader, and quoting.
#include "sim/json.hpp"

#include "chipgate/base/ascii.hpp"

#include <fmt/format.h>
#include <limits>

namespace chipgate::sim {
namespace {

using std::optional;
using std::string_view;

// The API's deepest body has three levels; a bound keeps the stack whole.
constexpr int deepest = 16;

// UTF-8 of a code point of the basic plane.
std::string utf8(unsigned code) {
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xc0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3f))};
  return {static_cast<char>(0xe0 | (code >> 12)), static_cast<char>(0x80 | ((code >> 6) & 0x3f)),
          static_cast<char>(0x80 | (code & 0x3f))};
}

class Reader {
 public:
  explicit Reader(string_view text) : rest_(text) {}

  optional<Json> whole() {
    auto value = any(0);
    skip();
    return rest_.empty() ? std::move(value) : std::nullopt;
  }

 private:
  optional<Json> any(int depth) {
    skip();
    if (depth > deepest || rest_.empty()) return std::nullopt;
    if (word("null")) return Json();
    if (word("true")) return Json(true);
    if (word("false")) return Json(false);
    if (rest_.front() == '"') return string_value();
    if (word("[")) return array(depth);
    if (word("{")) return object(depth);
    return number();
  }

  optional<Json> string_value() {
    auto text = string();
    return text ? optional(Json(std::move(*text))) : std::nullopt;
  }

  optional<Json> number() {
    const auto digits = rest_.substr(0, rest_.find_first_not_of("0123456789"));
    rest_.remove_prefix(digits.size());
    const auto value = parse_decimal(digits, std::numeric_limits<std::uint64_t>::max());
    return value ? optional(Json(*value)) : std::nullopt;
  }

  optional<Json> array(int depth) {
    JsonArray values;
    skip();
    if (word("]")) return Json(std::move(values));
    do {
      auto value = any(depth + 1);
      if (!value) return std::nullopt;
      values.push_back(std::move(*value));
      skip();
    } while (word(","));
    return word("]") ? optional(Json(std::move(values))) : std::nullopt;
  }

  optional<Json> object(int depth) {
    JsonObject members;
    skip();
    if (word("}")) return Json(std::move(members));
    do {
      skip();
      auto key = string();
      skip();
      if (!key || !word(":")) return std::nullopt;
      auto value = any(depth + 1);
      if (!value) return std::nullopt;
      members.insert_or_assign(std::move(*key), std::move(*value));
      skip();
    } while (word(","));
    return word("}") ? optional(Json(std::move(members))) : std::nullopt;
  }

  optional<std::string> string() {
    if (!word("\"")) return std::nullopt;
    std::string text;
    while (!rest_.empty() && rest_.front() != '"') {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c != '\\') {
        text += c;
        continue;
      }
      const auto escaped = escape();
      if (!escaped) return std::nullopt;
      text += *escaped;
    }
    return word("\"") ? optional(std::move(text)) : std::nullopt;
  }

  // After the backslash.
  optional<std::string> escape() {
    if (rest_.empty()) return std::nullopt;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    switch (c) {
      case 'n': return "\n";
      case 'r': return "\r";
      case 't': return "\t";
      case 'b': return "\b";
      case 'f': return "\f";
      case 'u': break;
      default: return std::string(1, c);
    }
    unsigned code = 0;
    for (int i = 0; i < 4; ++i) {
      const auto digit = rest_.empty() ? string_view::npos : string_view("0123456789abcdef").find(lower(rest_.front()));
      if (digit == string_view::npos) return std::nullopt;
      code = code * 16 + static_cast<unsigned>(digit);
      rest_.remove_prefix(1);
    }
    return utf8(code);
  }

  bool word(string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  void skip() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  string_view rest_;
};

}  // namespace

std::optional<Json> Json::parse(string_view text) { return Reader(text).whole(); }

std::string json_text(string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < ' ') {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

JsonWriter& JsonWriter::raw(string_view key, string_view json) {
  if (text_.size() > 1) text_ += ',';
  text_ += json_text(key);
  text_ += ':';
  text_ += json;
  return *this;
}

}  // namespace chipgate::sim
