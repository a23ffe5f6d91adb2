// One mapping of the file, read key by key: what is absent or wrong yields the fallback, and what is wrong is recorded.
#pragma once

#include "chipgate/base/duration.hpp"
#include "report.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <yaml-cpp/yaml.h>

namespace chipgate::config {

// A scalar of the file: as written, and with its ${VARIABLES} filled in.
struct Scalar {
  std::string written;
  std::string value;
  std::string key;  // its whole path
  int line = 0;
};

enum class Off : std::uint8_t { refused, allowed };

struct DurationBounds {
  Milliseconds least;
  Milliseconds most;
  Off off = Off::refused;
};

template <class T>
using Choices = std::span<const std::pair<std::string_view, T>>;

class Map {
 public:
  // `path` as in the table of keys but with its indices ("chips[3]"). A node that is no mapping is a problem, none at
  // all an empty mapping.
  Map(Report& report, const YAML::Node& node, std::string path, int line);

  bool has(std::string_view key) const { return find(key) != nullptr; }
  // The key's line, or the mapping's where it is absent.
  int line(std::string_view key) const;
  int line() const { return line_; }
  std::string path_of(std::string_view key) const;
  const std::string& path() const { return path_; }

  Map map(std::string_view key) const;
  std::vector<Map> maps(std::string_view key) const;
  std::optional<Scalar> scalar(std::string_view key) const;
  std::vector<Scalar> scalars(std::string_view key) const;

  std::string text(std::string_view key, std::string fallback = {}) const;
  bool boolean(std::string_view key, bool fallback) const;
  std::uint64_t number(std::string_view key, std::uint64_t fallback, std::uint64_t least, std::uint64_t most) const;
  Milliseconds duration(std::string_view key, Milliseconds fallback, DurationBounds bounds) const;

  // One of a few words.
  template <class T>
  T choice(std::string_view key, T fallback, Choices<T> choices) const {
    const auto found = scalar(key);
    if (!found) return fallback;
    std::vector<std::string_view> words;
    for (const auto& [word, value] : choices) {
      if (word == found->value) return value;
      words.push_back(word);
    }
    refuse_word(*found, words);
    return fallback;
  }

  void problem(std::string_view key, std::string message, std::string hint = {}) const;
  void warning(std::string_view key, std::string message, std::string hint = {}) const;
  Report& report() const { return *report_; }

 private:
  struct Entry {
    std::string key;
    int line;
    YAML::Node value;
  };

  const Entry* find(std::string_view key) const;
  bool lacks_list(const Entry& entry) const;
  void take(const YAML::Node& key, const YAML::Node& value);
  void refuse_key(const std::string& key, int line) const;
  void refuse_word(const Scalar& found, std::span<const std::string_view> words) const;
  std::optional<Scalar> read(const YAML::Node& node, std::string key, int line) const;

  Report* report_;
  std::string path_;
  int line_;
  std::span<const std::string_view> known_;
  std::vector<Entry> entries_;
};

}  // namespace chipgate::config
