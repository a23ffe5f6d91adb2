// Looking things up in header fields.
#include "chipgate/protocol/http_message.hpp"

#include "chipgate/base/ascii.hpp"

#include <algorithm>

namespace chipgate::protocol {
namespace {

bool list_has(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (equals_ignoring_case(trim(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

std::optional<std::string_view> Fields::find(std::string_view name) const {
  for (const auto& field : fields_) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Fields::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& field : fields_) {
    if (equals_ignoring_case(field.name, name)) values.push_back(field.value);
  }
  return values;
}

bool has_token(const Fields& fields, std::string_view name, std::string_view token) {
  return std::ranges::any_of(fields, [&](const Field& field) {
    return equals_ignoring_case(field.name, name) && list_has(field.value, token);
  });
}

}  // namespace chipgate::protocol
