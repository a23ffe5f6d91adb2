// Reading and filling the templates of credentials.
#include "chipgate/provider/template.hpp"

#include <algorithm>

namespace chipgate::provider {
namespace {

constexpr std::array<std::string_view, placeholder_count> names{
    "username", "password", "session", "country", "city", "lifetime_minutes", "lifetime_seconds"};

std::optional<Placeholder> placeholder(std::string_view word) {
  const auto* const found = std::ranges::find(names, word);
  if (found == names.end()) return std::nullopt;
  return static_cast<Placeholder>(found - names.begin());
}

std::string unknown(std::string_view word) {
  std::string message = "unknown placeholder {" + std::string(word) + "}; known are";
  for (const auto name : names) message += " {" + std::string(name) + "}";
  return message;
}

}  // namespace

std::string_view name(Placeholder which) { return names[static_cast<std::size_t>(which)]; }

std::variant<Template, std::string> Template::parse(std::string_view text) {
  Template made;
  Piece piece;
  std::size_t groups = 0;
  bool group_has_placeholder = false;
  const auto finish = [&] {
    const auto group = piece.group;
    if (!piece.literal.empty() || piece.placeholder) made.pieces_.push_back(std::move(piece));
    piece = Piece{.literal = {}, .placeholder = std::nullopt, .group = group};
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    switch (text[at]) {
      case '{': {
        const auto end = text.find('}', at);
        if (end == std::string_view::npos) return "a { without its }";
        const auto word = text.substr(at + 1, end - at - 1);
        piece.placeholder = placeholder(word);
        if (!piece.placeholder) return unknown(word);
        group_has_placeholder = true;
        finish();
        at = end;
        break;
      }
      case '[':
        if (piece.group != 0) return "a [ inside of brackets";
        finish();
        piece.group = ++groups;
        group_has_placeholder = false;
        break;
      case ']':
        if (piece.group == 0) return "a ] without its [";
        if (!group_has_placeholder) return "brackets without a placeholder";
        finish();
        piece.group = 0;
        break;
      case '}': return "a } without its {";
      default: piece.literal += text[at];
    }
  }
  if (piece.group != 0) return "a [ without its ]";
  finish();
  return made;
}

bool Template::mentions(Placeholder which) const {
  return std::ranges::any_of(pieces_, [&](const Piece& piece) { return piece.placeholder == which; });
}

bool Template::demands(Placeholder which) const {
  return std::ranges::any_of(pieces_,
                             [&](const Piece& piece) { return piece.placeholder == which && piece.group == 0; });
}

std::string_view Template::prefix() const { return pieces_.empty() ? std::string_view{} : pieces_.front().literal; }

std::string_view Template::literal_before(Placeholder which) const {
  const auto found = std::ranges::find(pieces_, std::optional(which), &Piece::placeholder);
  return found == pieces_.end() ? std::string_view{} : found->literal;
}

std::string Template::render(const Values& values) const {
  const auto written = [&](std::size_t group) {
    return group == 0 || std::ranges::none_of(pieces_, [&](const Piece& piece) {
             return piece.group == group && piece.placeholder && values[*piece.placeholder].empty();
           });
  };
  const auto value = [&](const Piece& piece) {
    return piece.placeholder ? values[*piece.placeholder] : std::string_view{};
  };
  // Reserved at once: a string that grows leaves pieces of the password behind in freed memory.
  std::size_t size = 0;
  for (const auto& piece : pieces_) size += piece.literal.size() + value(piece).size();
  std::string text;
  text.reserve(size);
  for (const auto& piece : pieces_) {
    if (written(piece.group)) text.append(piece.literal).append(value(piece));
  }
  return text;
}

}  // namespace chipgate::provider
