// What a configuration takes from outside of its file: variables, and files with secrets.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>

namespace chipgate::config {

// Of a configuration, in bytes. 20,000 chips, the most there may be, take less also when they are written out one by
// one, as `check` shows them, each with the longest id and alias and all else that an entry can have.
inline constexpr std::size_t largest_file = 16 * 1024 * 1024;

struct FileContent {
  std::optional<std::string> text;  // nothing if it cannot be read
  std::string error{};              // and then why
  mode_t mode = 0;                  // permission bits
};

// Passed in, so that tests need neither variables nor files.
struct Environment {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::function<FileContent(const std::string& path)> read;
};

// The process's own.
Environment process_environment();

}  // namespace chipgate::config
