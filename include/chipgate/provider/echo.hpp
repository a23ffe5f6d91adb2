// What an echo's page says about the address it was asked from.
#pragma once

#include "chipgate/base/address.hpp"

#include <optional>
#include <string_view>

namespace chipgate::provider {

// A body that is an address, or a JSON object that names exactly one as "ip", "origin" or "query". Everything else
// (a captcha, an error page, two addresses that differ) is no answer: what is not understood must not count as a move.
std::optional<IpAddress> parse_echo(std::string_view body);

}  // namespace chipgate::provider
