// Parsing, and what is refused before a single key is looked at.
#include "document.hpp"

#include <algorithm>
#include <string>

namespace chipgate::config {
namespace {

// 20,000 chips written out one by one take 1 MB; a range takes three lines.
constexpr std::size_t largest = 1024 * 1024;

// yaml-cpp appends what it found to some of its messages, and that may be a password.
std::string reason(const YAML::Exception& error) { return error.msg.substr(0, error.msg.find(':')); }

// yaml-cpp ends an open quote with the file, and every key in between is lost in it. So the file is given an end that
// only an open quote can swallow, which then is the last value of all.
int line_of_open_quote(const std::string& text) {
  constexpr std::string_view end = "# the end of this file";
  constexpr int deepest = 100;
  auto node = YAML::Load(text + '\n' + std::string(end) + '\n');
  for (int depth = 0; depth < deepest && node.size() > 0; ++depth) {
    YAML::Node last;
    for (const auto& child : node) last.reset(node.IsMap() ? child.second : child);
    node.reset(last);
  }
  return node.IsScalar() && node.Scalar().find(end) != std::string::npos ? node.Mark().line + 1 : 0;
}

}  // namespace

std::optional<YAML::Node> read_document(Report& report, std::string_view text) {
  if (text.size() > largest) {
    report.problem(0, {}, "is larger than 1 MiB", "one entry with numbers: 1-500 stands for 500 chips");
    return std::nullopt;
  }
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    report.problem(static_cast<int>(std::ranges::count(text.substr(0, nul), '\n')) + 1, {}, "is not a text file");
    return std::nullopt;
  }
  std::vector<YAML::Node> documents;
  try {
    documents = YAML::LoadAll(std::string(text));
    if (documents.size() == 1) {
      if (const int line = line_of_open_quote(std::string(text)); line != 0) {
        report.problem(line, {}, "this is not YAML: a quote begins here and never ends");
        return std::nullopt;
      }
    }
  } catch (const YAML::Exception& error) {
    report.problem(error.mark.is_null() ? 0 : error.mark.line + 1, {}, "this is not YAML: " + reason(error),
                   "values with any of : # { } [ ] , & * ! | > ' \" % @ ` need quotes");
    return std::nullopt;
  }
  if (documents.empty() || documents.front().IsNull()) {
    report.problem(0, {}, "is empty");
    return std::nullopt;
  }
  if (documents.size() > 1) {
    const auto mark = documents[1].Mark();
    report.problem(mark.is_null() ? 0 : mark.line + 1, {}, "a second document begins here", "remove the line ---");
    return std::nullopt;
  }
  if (!documents.front().IsMap()) {
    report.problem(1, {}, "must be a mapping of keys to values", "listen: ..., gateway: ..., chips: ...");
    return std::nullopt;
  }
  return documents.front();
}

}  // namespace chipgate::config
