// Route: everything that a chip's CONNECT needs to know, made once when its assignment opens.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/errors.hpp"
#include "chipgate/base/ids.hpp"
#include "chipgate/base/secret.hpp"
#include "chipgate/protocol/http_message.hpp"
#include "chipgate/provider/provider.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace chipgate::gateway {

// Whether a target written as an address may be asked for: some providers send those out by an exit of their own.
enum class IpLiterals : std::uint8_t { carried, refused };

// Immutable; built on the control thread and posted to the chip's shard, so that a CONNECT looks nothing up.
struct Route {
  SessionIdentifier session;
  Epoch epoch;
  EndpointIndex endpoint;
  Secret authorization_line;  // for HTTP gateways: "Proxy-Authorization: Basic ...\r\n"
  Secret socks_credentials;   // for SOCKS5 gateways: the RFC 1929 message
  Secret account_username;    // these two to recognise them in what a gateway says
  Secret account_password;
  IpLiterals ip_literals = IpLiterals::carried;
  // The addresses that targets were seen to see: a reply that names another of the same family is a move. Empty where
  // nothing was looked at.
  std::vector<IpAddress> exits{};
  ExitPrefixes prefixes{};
};

using RoutePtr = std::shared_ptr<const Route>;

// Encodes the credentials once for the assignment.
RoutePtr make_route(const SessionIdentifier&, Epoch, EndpointIndex, const provider::Credentials&, IpLiterals);
// The same, once its exits are known.
RoutePtr with_exits(const Route&, std::vector<IpAddress> exits, ExitPrefixes prefixes);

// What an address that a reply names says about the route.
enum class ExitVerdict : std::uint8_t {
  unknown,  // the route has no exit of this family
  same,
  other,
};
ExitVerdict verdict_on(const Route&, const IpAddress& seen);

// What a gateway's refusal means. Where its reasons repeat the credentials or a part of them, only the status is kept:
// they go to logs and to clients.
Error error_of_status(const Route&, unsigned status, const protocol::Fields& fields);

// The head of a gateway's answer as it may go to a client: without a reason phrase and without fields that repeat the
// credentials. What frames the body stays.
protocol::ResponseHead without_credentials(const Route&, protocol::ResponseHead head);

}  // namespace chipgate::gateway
