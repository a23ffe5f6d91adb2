// Finding an address in an echo's page.
#include "chipgate/provider/echo.hpp"

#include "chipgate/base/ascii.hpp"

#include <algorithm>
#include <array>

namespace chipgate::provider {
namespace {

// Pages of echoes have some hundred bytes; what is larger is a page for people.
constexpr std::size_t longest_body = 16 * 1024;

constexpr std::array<std::string_view, 3> keys{"ip", "origin", "query"};

std::string_view trim_lines(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Walks the strings of a JSON text. Escapes are stepped over, not decoded: no address and no key of ours needs one.
class Strings {
 public:
  explicit Strings(std::string_view text) : rest_(text) {}

  // The next string between quotes, nothing at the end or where a quote is never closed.
  std::optional<std::string_view> next() {
    const auto start = rest_.find('"');
    if (start == std::string_view::npos) return std::nullopt;
    for (auto at = start + 1; at < rest_.size(); ++at) {
      if (rest_[at] == '\\') {
        ++at;
      } else if (rest_[at] == '"') {
        const auto found = rest_.substr(start + 1, at - start - 1);
        rest_.remove_prefix(at + 1);
        return found;
      }
    }
    rest_ = {};
    return std::nullopt;
  }

  // Whether a colon and then a string follow: what was read last is the key of a string.
  bool names_a_string() const {
    const auto after = trim_lines(rest_);
    return after.starts_with(':') && trim_lines(after.substr(1)).starts_with('"');
  }

 private:
  std::string_view rest_;
};

std::optional<IpAddress> parse_json(std::string_view body) {
  std::optional<IpAddress> found;
  Strings strings(body);
  while (const auto key = strings.next()) {
    if (!strings.names_a_string()) continue;
    const auto value = strings.next();
    if (!value) return std::nullopt;
    if (std::ranges::find(keys, *key) == keys.end()) continue;
    const auto address = IpAddress::parse(*value);
    if (!address || (found && *found != *address)) return std::nullopt;
    found = address;
  }
  return found;
}

}  // namespace

std::optional<IpAddress> parse_echo(std::string_view body) {
  if (body.size() > longest_body) return std::nullopt;
  body = trim_lines(body);
  if (body.starts_with('{') && body.ends_with('}')) return parse_json(body);
  return IpAddress::parse(body);
}

}  // namespace chipgate::provider
