// Where the gateway is, and how it is spoken to.
#pragma once

#include "chipgate/base/duration.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chipgate::gateway {

enum class EndpointKind : std::uint8_t { http, https, socks5 };

std::string_view scheme(EndpointKind);  // of its URL

// One place where the account is served. `name` is what people see in logs and metrics: kind://host:port.
struct EndpointOptions {
  EndpointKind kind = EndpointKind::http;
  std::string host;  // a name or an IP address without brackets
  std::uint16_t port = 0;

  std::string name() const;
};

struct TlsOptions {
  std::string ca_file;      // PEM; empty is the system's store
  std::string server_name;  // what the certificate must name; empty is the endpoint's host
};

struct GatewayOptions {
  std::vector<EndpointOptions> endpoints;
  TlsOptions tls;
  // To one address; a gateway with several addresses gets one attempt each within the connect budget.
  Milliseconds connect_timeout{5'000};
  // How often the endpoint's name is resolved again; the last good answer stays in use meanwhile.
  Milliseconds resolve_every{30'000};
};

}  // namespace chipgate::gateway
