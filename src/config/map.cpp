// Walking mappings, with a complaint for everything that is not understood.
#include "map.hpp"

#include "chipgate/base/ascii.hpp"
#include "chipgate/config/keys.hpp"
#include "nearest.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace chipgate::config {
namespace {

using std::string;
using std::string_view;

int line_of(const YAML::Node& node, int otherwise) {
  const auto mark = node.Mark();
  return mark.is_null() ? otherwise : mark.line + 1;
}

// "chips[3]" is "chips[]" in the table of keys.
string without_indices(string_view path) {
  string general;
  for (const char c : path) {
    if (c < '0' || c > '9') general += c;
  }
  return general;
}

std::span<const string_view> known_keys(string_view path) {
  const auto general = without_indices(path);
  const auto all = sections();
  const auto found = std::ranges::find(all, general, &Section::path);
  if (found == all.end()) throw std::logic_error("no such section of the configuration: " + general);
  return found->keys;
}

// Where else a key belongs: people put it one level too high or too low.
std::optional<string_view> other_section(string_view key) {
  for (const auto& section : sections()) {
    if (std::ranges::find(section.keys, key) != section.keys.end()) return section.path;
  }
  return std::nullopt;
}

bool name_of_variable(string_view name) {
  return !name.empty() && !is_digit(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '_'; });
}

}  // namespace

Map::Map(Report& report, const YAML::Node& node, string path, int line)
    : report_(&report), path_(std::move(path)), line_(line), known_(known_keys(path_)) {
  if (!node.IsDefined() || node.IsNull()) return;
  if (!node.IsMap()) {
    report.problem(line, path_, "must be a mapping of keys to values");
    return;
  }
  for (const auto& pair : node) take(pair.first, pair.second);
}

void Map::take(const YAML::Node& key, const YAML::Node& value) {
  const int at = line_of(key, line_);
  if (!key.IsScalar()) {
    report_->problem(at, path_, "has a key that is not a word");
    return;
  }
  const auto& name = key.Scalar();
  if (std::ranges::find(known_, name) == known_.end()) {
    refuse_key(name, at);
  } else if (const auto* const first = find(name)) {
    // yaml-cpp itself would take the first silently.
    report_->problem(at, path_of(name), "is written twice", "first in line " + std::to_string(first->line));
  } else {
    entries_.push_back({name, at, value});
  }
}

void Map::refuse_key(const string& key, int at) const {
  string hint;
  if (const auto meant = nearest(key, known_)) {
    hint = "did you mean " + string(*meant) + "?";
  } else if (const auto section = other_section(key)) {
    hint = "it belongs " + (section->empty() ? "to the top level" : "under " + string(*section));
  } else {
    for (const auto word : known_) hint += (hint.empty() ? "known are " : ", ") + string(word);
  }
  report_->problem(at, path_of(shortened(key)), "is not a known key", std::move(hint));
}

void Map::refuse_word(const Scalar& found, std::span<const string_view> words) const {
  string hint;
  for (const auto word : words) hint += (hint.empty() ? "one of " : ", ") + string(word);
  if (const auto meant = nearest(found.written, words)) hint = "did you mean " + string(*meant) + "? " + hint;
  report_->problem(found.line, found.key, in_quotes(found.written) + " is not a known value", std::move(hint));
}

const Map::Entry* Map::find(string_view key) const {
  if (std::ranges::find(known_, key) == known_.end()) {
    throw std::logic_error("not in the table of keys: " + path_of(key));
  }
  const auto found = std::ranges::find(entries_, key, &Entry::key);
  return found == entries_.end() ? nullptr : &*found;
}

int Map::line(string_view key) const {
  const auto* const entry = find(key);
  return entry == nullptr ? line_ : entry->line;
}

string Map::path_of(string_view key) const { return path_.empty() ? string(key) : path_ + "." + string(key); }

Map Map::map(string_view key) const {
  const auto* const entry = find(key);
  return {*report_, entry == nullptr ? YAML::Node() : entry->value, path_of(key), line(key)};
}

// What was meant to stand there is not known, and an empty list may mean much: no chips, or every destination.
bool Map::lacks_list(const Entry& entry) const {
  if (entry.value.IsNull()) problem(entry.key, "has no value", "write [] where there are none");
  return entry.value.IsNull();
}

std::vector<Map> Map::maps(string_view key) const {
  std::vector<Map> found;
  const auto* const entry = find(key);
  if (entry == nullptr || lacks_list(*entry)) return found;
  if (!entry->value.IsSequence()) {
    problem(key, "must be a list");
    return found;
  }
  found.reserve(entry->value.size());
  for (const auto& node : entry->value) {
    const auto path = path_of(key) + "[" + std::to_string(found.size()) + "]";
    const int at = line_of(node, entry->line);
    if (node.IsNull()) report_->problem(at, path, "is empty");
    found.emplace_back(*report_, node, path, at);
  }
  return found;
}

std::optional<Scalar> Map::scalar(string_view key) const {
  const auto* const entry = find(key);
  if (entry == nullptr) return std::nullopt;
  return read(entry->value, path_of(key), entry->line);
}

std::vector<Scalar> Map::scalars(string_view key) const {
  std::vector<Scalar> found;
  const auto* const entry = find(key);
  if (entry == nullptr || lacks_list(*entry)) return found;
  if (!entry->value.IsSequence()) {
    problem(key, "must be a list", "[one, two]");
    return found;
  }
  for (std::size_t i = 0; i < entry->value.size(); ++i) {
    const auto node = entry->value[i];
    if (auto one = read(node, path_of(key) + "[" + std::to_string(i) + "]", line_of(node, entry->line))) {
      found.push_back(std::move(*one));
    }
  }
  return found;
}

std::optional<Scalar> Map::read(const YAML::Node& node, string key, int at) const {
  if (node.IsNull()) {
    report_->problem(at, std::move(key), "has no value", "write one, or remove the key");
    return std::nullopt;
  }
  if (!node.IsScalar()) {
    report_->problem(at, std::move(key), "must be a single value");
    return std::nullopt;
  }
  const auto& written = node.Scalar();
  string value;
  for (std::size_t i = 0; i < written.size();) {
    const auto rest = string_view(written).substr(i);
    if (rest.starts_with("$${")) {
      value += "${";
      i += 3;
    } else if (rest.starts_with("${")) {
      const auto end = rest.find('}');
      const auto name = end == string_view::npos ? string_view() : rest.substr(2, end - 2);
      if (!name_of_variable(name)) {
        report_->problem(at, std::move(key), "has a ${ that is not followed by a variable's name and }",
                         "${NAME} is an environment variable, $${ is the text itself");
        return std::nullopt;
      }
      const auto variable = report_->environment().variable(string(name));
      if (!variable) {
        report_->problem(at, std::move(key), "the environment variable " + string(name) + " is not set");
        return std::nullopt;
      }
      value += *variable;
      i += end + 1;
    } else {
      value += written[i++];
    }
  }
  return Scalar{written, std::move(value), std::move(key), at};
}

string Map::text(string_view key, string fallback) const {
  auto found = scalar(key);
  return found ? std::move(found->value) : std::move(fallback);
}

bool Map::boolean(string_view key, bool fallback) const {
  constexpr std::array<std::pair<string_view, bool>, 2> words{{{"true", true}, {"false", false}}};
  return choice<bool>(key, fallback, words);
}

std::uint64_t Map::number(string_view key, std::uint64_t fallback, std::uint64_t least, std::uint64_t most) const {
  const auto found = scalar(key);
  if (!found) return fallback;
  const auto value = parse_decimal(found->value, most);
  if (value && *value >= least) return *value;
  problem(key, in_quotes(found->written) + " is not a whole number from " + std::to_string(least) + " to " +
                   std::to_string(most));
  return fallback;
}

Milliseconds Map::duration(string_view key, Milliseconds fallback, DurationBounds bounds) const {
  const auto found = scalar(key);
  if (!found) return fallback;
  const bool may_be_off = bounds.off == Off::allowed;
  if (may_be_off && found->value == "off") return Milliseconds(0);
  const auto value = parse_duration(found->value);
  if (!value) {
    problem(key, in_quotes(found->written) + " is not a duration",
            may_be_off ? "30s, 5min, 6h, or off" : "500ms, 30s, 5min, 6h, 7d");
    return fallback;
  }
  if (may_be_off && value->count() == 0) return *value;
  if (*value >= bounds.least && *value <= bounds.most) return *value;
  problem(key,
          in_quotes(found->written) + " is not between " + format_duration(bounds.least) + " and " +
              format_duration(bounds.most),
          may_be_off ? "or off" : "");
  return fallback;
}

void Map::problem(string_view key, string message, string hint) const {
  report_->problem(line(key), path_of(key), std::move(message), std::move(hint));
}

void Map::warning(string_view key, string message, string hint) const {
  report_->warning(line(key), path_of(key), std::move(message), std::move(hint));
}

}  // namespace chipgate::config
