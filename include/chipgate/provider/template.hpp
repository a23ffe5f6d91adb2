// The small language in which a provider's username and password grammar is written.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chipgate::provider {

enum class Placeholder : std::uint8_t {
  username,
  password,
  session,
  country,
  city,
  lifetime_minutes,
  lifetime_seconds
};
inline constexpr std::size_t placeholder_count = 7;

std::string_view name(Placeholder);

// A value for each placeholder, borrowed for the time of one render; an empty one is not set.
class Values {
 public:
  std::string_view& operator[](Placeholder which) { return values_[static_cast<std::size_t>(which)]; }
  std::string_view operator[](Placeholder which) const { return values_[static_cast<std::size_t>(which)]; }

 private:
  std::array<std::string_view, placeholder_count> values_;
};

// "{username}[-country-{country}]-session-{session}": {name} is a placeholder, and what stands in brackets is written
// only if every placeholder in it is set. Brackets do not nest, and there is no escape: no provider's grammar uses
// braces or brackets.
class Template {
 public:
  struct Piece {
    std::string literal;  // stands before the placeholder
    std::optional<Placeholder> placeholder;
    std::size_t group = 0;  // 0 is always written; the pieces of one bracket share another number
  };

  // The template, or what is wrong with it.
  static std::variant<Template, std::string> parse(std::string_view text);

  bool mentions(Placeholder) const;
  // Outside of brackets.
  bool demands(Placeholder) const;
  // The literal before the first placeholder: "user-" in "user-{username}".
  std::string_view prefix() const;
  // The literal right before a placeholder, empty if there is none: "-country-".
  std::string_view literal_before(Placeholder) const;
  const std::vector<Piece>& pieces() const { return pieces_; }

  std::string render(const Values&) const;

 private:
  std::vector<Piece> pieces_;
};

}  // namespace chipgate::provider
