// Strong: a value with a name of its own in the type system, so that an id is never taken for another id.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <utility>

namespace chipgate {

template <class Tag, class Rep>
class Strong {
 public:
  Strong() = default;
  explicit Strong(Rep value) : value_(std::move(value)) {}

  const Rep& value() const { return value_; }

  friend auto operator<=>(const Strong&, const Strong&) = default;
  friend bool operator==(const Strong&, const Strong&) = default;

 private:
  Rep value_{};
};

}  // namespace chipgate

template <class Tag, class Rep>
struct std::hash<chipgate::Strong<Tag, Rep>> {
  std::size_t operator()(const chipgate::Strong<Tag, Rep>& strong) const { return std::hash<Rep>{}(strong.value()); }
};
