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
