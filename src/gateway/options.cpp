// How an endpoint is called.
#include "chipgate/gateway/options.hpp"

namespace chipgate::gateway {
namespace {

const char* scheme(EndpointKind kind) {
  switch (kind) {
    case EndpointKind::http: return "http";
    case EndpointKind::https: return "https";
    case EndpointKind::socks5: return "socks5";
  }
  return "http";
}

}  // namespace

std::string EndpointOptions::name() const {
  const bool bare_ipv6 = host.find(':') != std::string::npos;
  return scheme(kind) + std::string("://") + (bare_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace chipgate::gateway
