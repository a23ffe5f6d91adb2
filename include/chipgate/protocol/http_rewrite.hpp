// What chipgate writes to a gateway and to a client: heads without the hop-by-hop fields of the other side.
#pragma once

#include "chipgate/base/secret.hpp"
#include "chipgate/protocol/authority.hpp"
#include "chipgate/protocol/http_message.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace chipgate::protocol {

// absolute to an HTTP gateway, origin inside a tunnel (a SOCKS5 gateway).
enum class TargetForm : std::uint8_t { absolute, origin };
enum class KeepAlive : std::uint8_t { yes, no };

// Removes what belongs to the client's hop (RFC 9110 section 7.6.1), but never what frames the body, even where
// Connection names it: the body is forwarded raw. Max-Forwards of OPTIONS becomes one less. Host becomes the URL's
// authority (RFC 9112 section 3.2.2). `proxy_authorization_line` ends in CRLF or is empty. The result holds it.
Secret forward_request_head(const RequestHead& head, const HttpUrl& url, TargetForm form,
                            std::string_view proxy_authorization_line);

// Where a plain request wants to go. Errors: those of parse_absolute_url, and cleartext_upgrade for a WebSocket, which
// is never carried this way (RFC 6455 section 4.1 wants CONNECT): a client that tries has the wrong agent.
Result<HttpUrl> requested_url(const RequestHead& head);

// Whether the request must not go on, but be answered here (RFC 9110 section 7.6.2: OPTIONS with Max-Forwards: 0).
bool is_last_hop(const RequestHead& head);

// As forward_request_head, for an answer. A 1xx says nothing about the connection.
std::string forward_response_head(const ResponseHead& head, KeepAlive keep_alive);

// Whether the client wants to send another request on its connection. Says nothing about a tunnel: clients send
// "Connection: close" with CONNECT and mean nothing by it.
KeepAlive keep_alive(const RequestHead& head);

// Only what a gateway needs: a User-Agent or any other field would tell gateways about the client.
Secret connect_request(const Authority& target, std::string_view proxy_authorization_line);

}  // namespace chipgate::protocol
