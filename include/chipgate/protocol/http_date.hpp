// The time in an HTTP Date field.
#pragma once

#include "chipgate/base/duration.hpp"

#include <optional>
#include <string_view>

namespace chipgate::protocol {

// "Sun, 06 Nov 1994 08:49:37 GMT", the one form that RFC 9110 section 5.6.7 lets anybody send; nothing for others.
std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace chipgate::protocol
