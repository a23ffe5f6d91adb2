// A gateway's endpoint, written as a URL.
#pragma once

#include "chipgate/gateway/options.hpp"
#include "chipgate/provider/preset.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace chipgate::config {

// What is wrong with a text; it quotes nothing, for a URL may hold a password.
struct Unreadable {
  std::string message;
  std::string hint;
};

// "http://proxy.example.net:3120"; a port left out is the preset's.
std::variant<gateway::EndpointOptions, Unreadable> parse_endpoint(std::string_view text,
                                                                  const provider::Ports& default_ports);

// A name or an address as it may stand in a URL, without brackets.
bool is_host(std::string_view text);

}  // namespace chipgate::config
