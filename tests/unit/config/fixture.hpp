// Configurations for tests: text in, settings or lines of problems out, with variables and files made up.
#pragma once

#include "chipgate/config/load.hpp"

#include <map>
#include <string>
#include <vector>

namespace chipgate::config {

// Whatever is refused, this must never be in a message.
inline constexpr const char* secret = "hunter2";

inline Environment environment() {
  static const std::map<std::string, std::string> variables{
      {"USER_NAME", "alice"}, {"PASS", secret}, {"PORT", "20005"}, {"EMPTY", ""}, {"TOKEN", "hunter2-and-more"}};
  static const std::map<std::string, FileContent> files{
      {"etc/password", {.text = "hunter2\n", .mode = 0600}},
      {"etc/crlf", {.text = "hunter2\r\n", .mode = 0400}},
      {"etc/open", {.text = "hunter2", .mode = 0644}},
      {"etc/empty", {.text = "\n", .mode = 0600}},
      {"etc/lines", {.text = "hunter2\nhunter2\n", .mode = 0600}},
      {"/run/secrets/password", {.text = "hunter2", .mode = 0400}},
  };
  return {.variable = [](const std::string& name) -> std::optional<std::string> {
            const auto found = variables.find(name);
            return found == variables.end() ? std::nullopt : std::optional(found->second);
          },
          .read = [](const std::string& path) -> FileContent {
            // Shown by its whole path, and read again by that.
            if (path.ends_with("etc/ca.pem")) return {.text = "an authority", .mode = 0644};
            const auto found = files.find(path);
            if (found == files.end()) return {.text = std::nullopt, .error = "No such file or directory"};
            return found->second;
          }};
}

inline LoadResult parse(std::string_view text) { return parse(text, "etc/chipgate.yaml", environment()); }

// A gateway that is right, in one line, and what a test adds to it.
inline std::string with_gateway(const std::string& rest) {
  return "gateway: {username: alice, password: hunter2}\n" + rest;
}

inline Settings settings(const std::string& text) { return parse(text).value().settings; }

// "line key message" of each.
inline std::vector<std::string> lines(const Problems& problems) {
  std::vector<std::string> found;
  for (const auto& problem : problems) {
    found.push_back(std::to_string(problem.line) + " " + problem.key + " " + problem.message);
  }
  return found;
}

inline std::vector<std::string> problems(std::string_view text) {
  const auto result = parse(text);
  return result.has_error() ? lines(result.error()) : std::vector<std::string>{};
}

inline std::vector<std::string> warnings(std::string_view text) { return lines(parse(text).value().warnings); }

}  // namespace chipgate::config
