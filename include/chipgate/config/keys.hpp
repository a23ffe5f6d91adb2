// Every key that a configuration may have.
#pragma once

#include <span>
#include <string_view>

namespace chipgate::config {

struct Section {
  std::string_view path;  // "" for the whole file, "chips[]" for each entry of a list
  std::span<const std::string_view> keys;
};

// The reader refuses all other keys, and must not ask for any other; the schema for editors lists the same.
std::span<const Section> sections();

}  // namespace chipgate::config
