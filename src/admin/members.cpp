// Reading a JSON body.
#include "asked.hpp"

#include <boost/json/parse.hpp>

namespace chipgate::admin {

Members::Members(const std::string& body) {
  if (body.empty()) return;
  boost::system::error_code error;
  auto parsed = boost::json::parse(body, error);
  if (error) {
    refusal_.set(400, "malformed_json", "the body is not JSON: " + error.message(), {});
  } else if (!parsed.is_object()) {
    refusal_.set(400, "malformed_json", "the body is not a JSON object", {});
  } else {
    members_ = std::move(parsed.get_object());
  }
}

// null says the same as a member that is not there.
const boost::json::value* Members::find(std::string_view key) {
  asked_.emplace(key);
  const auto* const found = members_.if_contains(key);
  return found != nullptr && found->is_null() ? nullptr : found;
}

std::string Members::text(std::string_view key, std::size_t longest) {
  const auto* const found = find(key);
  if (found == nullptr) return {};
  if (!found->is_string()) {
    refusal_.bad_value(key, "must be a string");
    return {};
  }
  const std::string_view text = found->get_string();
  if (text.size() > longest) refusal_.bad_value(key, "is longer than " + std::to_string(longest) + " bytes");
  return std::string(text);
}

bool Members::boolean(std::string_view key) {
  const auto* const found = find(key);
  if (found == nullptr) return false;
  if (!found->is_bool()) {
    refusal_.bad_value(key, "must be true or false");
    return false;
  }
  return found->get_bool();
}

std::optional<std::uint64_t> Members::number(std::string_view key, NumberBounds bounds) {
  const auto* const found = find(key);
  return found == nullptr ? std::nullopt : number_of(*found, key, bounds);
}

std::optional<std::uint64_t> Members::number_in(std::string_view key, std::string_view name, NumberBounds bounds) {
  const auto* const found = find(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_object()) {
    refusal_.bad_value(key, "must be an object");
    return std::nullopt;
  }
  const auto prefix = std::string(key) + '.';
  asked_.insert(prefix + std::string(name));
  const auto* const inner = found->get_object().if_contains(name);
  return inner == nullptr || inner->is_null() ? std::nullopt : number_of(*inner, prefix + std::string(name), bounds);
}

std::optional<std::uint64_t> Members::number_of(const boost::json::value& value, std::string_view field,
                                                NumberBounds bounds) {
  boost::system::error_code error;
  const bool whole = value.is_int64() || value.is_uint64();
  const auto number = whole ? value.to_number<std::uint64_t>(error) : 0;
  if (whole && !error && number >= bounds.least && number <= bounds.most) return number;
  refusal_.bad_value(
      field, "must be a whole number from " + std::to_string(bounds.least) + " to " + std::to_string(bounds.most));
  return std::nullopt;
}

std::optional<Response> Members::refusal() {
  const auto judge = [this](const std::string& name) {
    if (!asked_.contains(name)) refusal_.set(400, "unknown_member", "there is no member " + name.substr(0, 80), name);
  };
  for (const auto& [key, value] : members_) {
    const std::string name(key);
    judge(name);
    const bool has_parts =
        asked_.lower_bound(name + '.') != asked_.end() && asked_.lower_bound(name + '.')->starts_with(name + '.');
    if (!value.is_object() || !has_parts) continue;
    for (const auto& [inner, ignored] : value.get_object()) judge(name + '.' + std::string(inner));
  }
  return refusal_.response();
}

}  // namespace chipgate::admin
