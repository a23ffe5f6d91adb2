// Collecting, ordering and quoting.
#include "report.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <tuple>

namespace chipgate::config {
namespace {

using std::string;
using std::string_view;

// In the order of their lines, and each once: a section that is read in two places complains in both.
Problems in_order(const Problems& problems) {
  const auto place = [](const Problem& problem) { return std::tie(problem.line, problem.key, problem.message); };
  std::set<decltype(place(problems.front()))> seen;
  std::multimap<int, Problem> by_line;
  for (const auto& problem : problems) {
    if (seen.insert(place(problem)).second) by_line.emplace(problem.line, problem);
  }
  Problems ordered;
  for (auto& [line, problem] : by_line) ordered.push_back(std::move(problem));
  return ordered;
}

}  // namespace

string shortened(string_view text) {
  constexpr std::size_t longest = 60;
  string shown;
  for (const char c : text.substr(0, longest)) shown += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  return text.size() > longest ? shown + "..." : shown;
}

void Report::problem(int line, string key, string message, string hint) {
  refused_keys_.insert(key);
  problems_.push_back({file_, line, std::move(key), std::move(message), std::move(hint)});
}

void Report::warning(int line, string key, string message, string hint) {
  warnings_.push_back({file_, line, std::move(key), std::move(message), std::move(hint)});
}

bool Report::complained_about(string_view key) const { return refused_keys_.contains(key); }

string Report::state_file(const string& name) const {
  const auto folder = environment_.variable("CHIPGATE_STATE_DIR");
  return folder && !folder->empty() ? *folder + "/" + name : beside(name);
}

string Report::beside(const string& path) const {
  if (path.empty()) return path;
  return (std::filesystem::path(file_).parent_path() / path).string();
}

Problems Report::problems() const { return in_order(problems_); }

Problems Report::warnings() const { return in_order(warnings_); }

string in_quotes(string_view text) { return '"' + shortened(text) + '"'; }

}  // namespace chipgate::config
