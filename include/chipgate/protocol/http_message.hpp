// HTTP/1.x message heads as values.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chipgate::protocol {

// Well above what any client or gateway sends (browsers with cookies stay below 8 KiB), small enough to hold for every
// handshake at once.
inline constexpr std::size_t largest_head = 16 * 1024;

struct Field {
  std::string name;
  std::string value;
};

// Header fields in the order in which they came; names compare without case.
class Fields {
 public:
  void add(std::string name, std::string value) { fields_.push_back({std::move(name), std::move(value)}); }

  // The first value, if any.
  std::optional<std::string_view> find(std::string_view name) const;
  std::vector<std::string_view> all(std::string_view name) const;
  bool has(std::string_view name) const { return find(name).has_value(); }

  std::size_t size() const { return fields_.size(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

// Whether a comma-separated list (Connection and the like, over all its lines) has this token, without case.
bool has_token(const Fields& fields, std::string_view name, std::string_view token);

struct RequestHead {
  std::string method;
  std::string target;
  unsigned version = 11;  // 10 or 11
  Fields fields;
};

struct ResponseHead {
  unsigned status = 0;
  std::string reason;
  unsigned version = 11;  // 10 or 11
  Fields fields;
};

}  // namespace chipgate::protocol
