// Basic credentials (RFC 7617), written to gateways and read from clients.
#pragma once

#include "chipgate/base/secret.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace chipgate::protocol {

std::string base64_encode(std::string_view bytes);
// With padding, without white space (RFC 4648 section 4).
std::optional<std::string> base64_decode(std::string_view text);

// "Proxy-Authorization: Basic ...\r\n". The user name holds no ':', which configuration makes sure of.
Secret basic_credentials_line(std::string_view username, std::string_view password);

struct BasicCredentials {
  std::string username;
  Secret password;
};

// The value of Proxy-Authorization, "Basic dXNlcjpwYXNz".
std::optional<BasicCredentials> parse_basic(std::string_view header_value);

}  // namespace chipgate::protocol
