// As much JSON as the simulator's API speaks: values read, objects written line by line.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chipgate::sim {

class Json;
using JsonArray = std::vector<Json>;
using JsonObject = std::map<std::string, Json>;

// Numbers are whole and not negative: the API has no others.
class Json {
 public:
  Json() = default;
  template <class T>
  explicit Json(T value) : value_(std::move(value)) {}

  // nullopt: not JSON, or with a number that is not whole.
  static std::optional<Json> parse(std::string_view text);

  const std::string* string() const { return std::get_if<std::string>(&value_); }
  const std::uint64_t* number() const { return std::get_if<std::uint64_t>(&value_); }
  const bool* boolean() const { return std::get_if<bool>(&value_); }
  const JsonArray* array() const { return std::get_if<JsonArray>(&value_); }
  const JsonObject* object() const { return std::get_if<JsonObject>(&value_); }

 private:
  std::variant<std::monostate, bool, std::uint64_t, std::string, JsonArray, JsonObject> value_;
};

// With its quotes.
std::string json_text(std::string_view text);

// One object, written as it is told: {"a":1,"b":"x"}.
class JsonWriter {
 public:
  JsonWriter& text(std::string_view key, std::string_view value) { return raw(key, json_text(value)); }
  JsonWriter& number(std::string_view key, std::uint64_t value) { return raw(key, std::to_string(value)); }
  JsonWriter& boolean(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  // JSON already.
  JsonWriter& raw(std::string_view key, std::string_view json);
  std::string done() { return std::move(text_) + '}'; }

 private:
  std::string text_ = "{";
};

}  // namespace chipgate::sim
