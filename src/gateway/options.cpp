// How an endpoint is called.
#include "chipgate/gateway/options.hpp"

#include "chipgate/base/address.hpp"

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

std::string EndpointOptions::name() const { return scheme(kind) + std::string("://") + host_and_port_text(host, port); }

}  // namespace chipgate::gateway
