// JSON as logs and the admin server write it: objects of scalars and of other objects, correct for any bytes.
#pragma once

#include "chipgate/telemetry/log_field.hpp"

#include <string>
#include <string_view>

namespace chipgate::telemetry {

// The text between quotes of a JSON string. What is not UTF-8 becomes U+FFFD; control characters, the C1 ones that
// terminals obey included, are written as \u.
std::string escape(std::string_view text);

// The value as JSON: text quoted and escaped, null for a number that is none.
std::string json(const LogValue& value);

// Built key by key; whoever adds a key twice has it twice.
class JsonObject {
 public:
  JsonObject& add(std::string_view key, const LogValue& value);
  JsonObject& add(std::string_view key, const JsonObject& value);
  std::string text() const { return text_ + '}'; }

 private:
  void add_key(std::string_view key);
  std::string text_ = "{";
};

}  // namespace chipgate::telemetry
