// How an endpoint is called.
#include "chipgate/gateway/options.hpp"

#include "chipgate/base/address.hpp"

namespace chipgate::gateway {

std::string_view scheme(EndpointKind kind) {
  switch (kind) {
    case EndpointKind::http: return "http";
    case EndpointKind::https: return "https";
    case EndpointKind::socks5: return "socks5";
  }
  return "http";
}

std::string EndpointOptions::name() const { return std::string(scheme(kind)) + "://" + host_and_port_text(host, port); }

}  // namespace chipgate::gateway
