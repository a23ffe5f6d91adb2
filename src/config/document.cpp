// Parsing, and what is refused before a single key is looked at.
#include "document.hpp"

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>
#include <vector>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/parser.h>

namespace chipgate::config {
namespace {

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

// Where documents begin, of which there may be one. YAML::LoadAll finds documents without end in some text that is none
// (a comma at its beginning), so that no more than two are asked for.
class Documents final : public YAML::EventHandler {
 public:
  explicit Documents(const std::string& text) {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (begins_.size() < 2 && parser.HandleNextDocument(*this)) continue;
  }

  std::size_t count() const { return begins_.size(); }
  // The first thing in it.
  const YAML::Mark& begin(std::size_t document) const { return begins_.at(document); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    begins_.push_back(mark);
    empty_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { first(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { first(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string&) override {
    first(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    first(mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    first(mark);
  }
  void OnMapEnd() override {}

 private:
  void first(const YAML::Mark& mark) {
    if (std::exchange(empty_, false)) begins_.back() = mark;
  }

  std::vector<YAML::Mark> begins_;
  bool empty_ = true;
};

}  // namespace

std::optional<YAML::Node> read_document(Report& report, std::string_view text) {
  if (text.size() > largest_file) {
    report.problem(0, {}, "is larger than 16 MiB", "one entry with numbers: 1-500 stands for 500 chips");
    return std::nullopt;
  }
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    report.problem(static_cast<int>(std::ranges::count(text.substr(0, nul), '\n')) + 1, {}, "is not a text file");
    return std::nullopt;
  }
  const std::string whole(text);
  YAML::Node document;
  try {
    const Documents documents(whole);
    if (documents.count() > 1 && documents.begin(1).pos <= documents.begin(0).pos) {
      report.problem(documents.begin(0).line + 1, {}, "this is not YAML");
      return std::nullopt;
    }
    if (documents.count() > 1) {
      report.problem(documents.begin(1).line + 1, {}, "a second document begins here", "remove the line ---");
      return std::nullopt;
    }
    document = YAML::Load(whole);
    if (const int line = line_of_open_quote(whole); line != 0) {
      report.problem(line, {}, "this is not YAML: a quote begins here and never ends");
      return std::nullopt;
    }
  } catch (const YAML::Exception& error) {
    report.problem(error.mark.is_null() ? 0 : error.mark.line + 1, {}, "this is not YAML: " + reason(error),
                   "values with any of : # { } [ ] , & * ! | > ' \" % @ ` need quotes");
    return std::nullopt;
  }
  if (document.IsNull()) {
    report.problem(0, {}, "is empty");
    return std::nullopt;
  }
  if (!document.IsMap()) {
    report.problem(1, {}, "must be a mapping of keys to values", "listen: ..., gateway: ..., chips: ...");
    return std::nullopt;
  }
  return document;
}

}  // namespace chipgate::config
