// docs/openapi.json, as it was when this was built.
#pragma once

#include <string_view>

namespace chipgate::admin {

extern const std::string_view openapi_text;

}  // namespace chipgate::admin
