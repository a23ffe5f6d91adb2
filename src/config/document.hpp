// YAML text to one document.
#pragma once

#include "map.hpp"

#include <optional>
#include <string_view>

namespace chipgate::config {

// Nothing if it is no document; the report then says why.
std::optional<YAML::Node> read_document(Report& report, std::string_view text);

}  // namespace chipgate::config
