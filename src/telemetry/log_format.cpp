// The two forms of a log line.
#include "chipgate/telemetry/log_format.hpp"

#include "chipgate/base/ascii.hpp"
#include "chipgate/telemetry/json.hpp"

#include <algorithm>

namespace chipgate::telemetry {
namespace {

bool plain(char c) { return is_alphanumeric(c) || std::string_view("_.:/@+-,[]").find(c) != std::string_view::npos; }

// Quoted unless it reads as one word without quotes.
std::string text_value(const LogValue& value) {
  const auto* text = std::get_if<std::string_view>(&value.variant());
  if (text != nullptr && !text->empty() && std::ranges::all_of(*text, plain)) return std::string(*text);
  return json(value);
}

std::string as_json(const LogEvent& event) {
  JsonObject object;
  object.add("ts", rfc3339(event.at)).add("level", name(event.level)).add("event", event.name);
  for (const auto& field : event.fields) object.add(field.key, field.value);
  return object.text();
}

std::string as_text(const LogEvent& event) {
  std::string line = rfc3339(event.at);
  line += ' ';
  line += name(event.level);
  line += ' ';
  line += event.name;
  for (const auto& field : event.fields) {
    line += ' ';
    line += field.key;
    line += '=';
    line += text_value(field.value);
  }
  return line;
}

}  // namespace

std::string_view name(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warn: return "warn";
    case LogLevel::error: return "error";
  }
  return "error";
}

std::string format(const LogEvent& event, LogFormat format) {
  return format == LogFormat::json ? as_json(event) : as_text(event);
}

}  // namespace chipgate::telemetry
