// Where chipgate is watched and controlled.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/secret.hpp"

#include <optional>
#include <string>
#include <vector>

namespace chipgate::admin {

// What a gigabyte (10^9 bytes, both directions) costs.
struct Price {
  double per_gb = 0;
  std::string currency = "USD";
};

// Where events are posted to.
struct WebhookOptions {
  std::string url;                            // http:// or https://
  Secret secret{};                            // of the signature
  std::vector<std::string> events{"chip.*"};  // types; a final * stands for any ending
  // The id of the last event that was delivered, so that a restart goes on behind it.
  std::string position_file = "chipgate.webhook";
};

struct AdminOptions {
  SocketAddress listen{IpAddress::v4({127, 0, 0, 1}), 9310};
  // Where set, this alone is listened on, and `listen` is not.
  std::string unix_socket{};
  // Names by which this server may be asked for, beside localhost and its own addresses.
  std::vector<std::string> hosts{};
  // Empty: the token file's.
  Secret token{};
  // Made with a new token where it does not exist.
  std::string token_file = "chipgate.token";
  std::optional<Price> price{};
  std::optional<WebhookOptions> webhook{};
};

// "127.0.0.1:9310" or "unix:/run/chipgate.sock".
std::string listen_text(const AdminOptions&);

}  // namespace chipgate::admin
