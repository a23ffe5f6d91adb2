// How an endpoint is called.
#include "chipgate/gateway/options.hpp"

namespace chipgate::gateway {

std::string_view scheme(EndpointKind kind) {
  switch (kind) {
    case EndpointKind::http: return "http";
    case EndpointKind::https: return "https";
    case EndpointKind::socks5: return "socks5";
  }
  return "http";
}

std::string EndpointOptions::name() const {
  const bool bare_ipv6 = host.find(':') != std::string::npos;
  return std::string(scheme(kind)) + "://" + (bare_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace chipgate::gateway
