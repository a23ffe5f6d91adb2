// The one table of everything that can go wrong for a client, and of every way a tunnel ends: its name in logs and
// metrics, how it is told over HTTP and SOCKS, and whose fault it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chipgate {

enum class Fault : std::uint8_t { nobody, client, chipgate, gateway, provider };

// How a kind is told to a client: `never` means that the client is gone, or that its tunnel already carried bytes.
// A status of 0 means never. 401, 402, 404, 406, 410, 440 and 500 must not appear here: clients read them as WhatsApp's
// own verdict about a login and delete it.
struct ErrorInfo {
  std::string_view name;         // log name and metric label, snake_case
  std::uint16_t status;          // HTTP status of a refusal, 0 for none
  std::uint8_t socks_reply;      // RFC 1928 section 6 REP field
  std::string_view proxy_error;  // RFC 9209 section 2.3 proxy error type
  Fault fault;
  std::string_view message;  // one line for a person
};

// clang-format off
#define CHIPGATE_ERRORS(X)                                                                                                           \
  /* what a client did */                                                                                                            \
  X(malformed_request,       400, 1, "http_request_error",          client,   "the request is not HTTP/1.x, SOCKS5 or SOCKS4a")     \
  X(head_too_large,          431, 1, "http_request_error",          client,   "the request head is larger than 16 KiB")              \
  X(head_timeout,            408, 1, "http_request_error",          client,   "the request head was not complete in time")           \
  X(head_truncated,          400, 1, "http_request_error",          client,   "the client ended before its request was complete")    \
  X(body_timeout,            408, 1, "http_request_error",          client,   "the request's body stopped coming")                   \
  X(not_a_proxy_request,     400, 1, "http_request_error",          client,   "this is a proxy port: send CONNECT host:port, or an absolute http:// URL") \
  X(cleartext_https,         400, 1, "http_request_error",          client,   "an https:// URL was sent in clear text to the proxy")  \
  X(cleartext_upgrade,       400, 1, "http_request_error",          client,   "a WebSocket was asked for by a plain request instead of CONNECT") \
  X(client_auth_required,    407, 2, "http_request_denied",         client,   "this port wants the client credentials of its configuration") \
  X(client_not_allowed,      403, 2, "http_request_denied",         client,   "the client's address is not in allow_clients")        \
  X(socks_command_refused,   400, 7, "http_request_error",          client,   "only the SOCKS command CONNECT is carried")           \
  X(socks_address_unknown,   400, 8, "http_request_error",          client,   "the SOCKS address type is unknown")                   \
  X(destination_denied,      403, 2, "http_request_denied",         client,   "the configuration's destinations do not allow the target") \
  X(ip_literal_refused,      403, 2, "destination_ip_prohibited",   client,   "this provider sends IP-literal targets by another exit: use socks5h:// or a name") \
  X(too_many_tunnels,        429, 1, "connection_limit_reached",    client,   "the chip has its largest number of tunnels open")     \
  X(too_many_tunnels_in_all, 429, 1, "connection_limit_reached",    client,   "all chips together have their largest number of tunnels open") \
  X(too_many_handshakes,     429, 1, "connection_limit_reached",    client,   "the chip has its largest number of clients that have not said what they want") \
  X(too_many_held,           429, 1, "connection_limit_reached",    client,   "the chip has its largest number of waiting clients")  \
  X(too_many_whatsapp_sessions, 429, 1, "connection_limit_reached", client,   "the chip has its largest number of WhatsApp sessions open") \
  X(client_gone,             0,   1, "connection_terminated",       client,   "the client left before it was answered")              \
  /* what chipgate could not do */                                                                                                   \
  X(no_assignment,           503, 1, "proxy_configuration_error",   chipgate, "the chip has no assignment")                          \
  X(fenced,                  503, 1, "connection_terminated",       chipgate, "the chip's assignment ended")                         \
  X(draining,                503, 1, "connection_terminated",       chipgate, "chipgate is stopping")                                \
  X(out_of_descriptors,      503, 1, "connection_limit_reached",    chipgate, "chipgate has no file descriptor left")                \
  X(ledger_unavailable,      503, 1, "proxy_internal_error",        chipgate, "the ledger cannot be written or read")                \
  X(chip_released,           503, 1, "proxy_configuration_error",   chipgate, "the chip is released: connect it first")              \
  X(chip_blocked,            503, 1, "proxy_configuration_error",   chipgate, "the chip is blocked until it is connected again")     \
  X(draws_capped,            503, 1, "proxy_configuration_error",   chipgate, "the chip had its largest number of assignments of an hour") \
  X(no_free_exit,            503, 1, "destination_unavailable",     provider, "every exit that was drawn is in use, in quarantine or denied") \
  X(exit_unconfirmed,        503, 1, "proxy_configuration_error",   chipgate, "no echo could say by which exit the chip leaves")     \
  X(quota_reached,           429, 1, "connection_limit_reached",    client,   "the chip has used up its quota")                      \
  X(port_not_bound,          0,   1, "proxy_configuration_error",   chipgate, "the chip's port cannot be bound")                     \
  /* the way to the gateway */                                                                                                       \
  X(gateway_unresolved,      502, 1, "dns_error",                   gateway,  "the gateway's name does not resolve")                 \
  X(gateway_refused,         502, 1, "connection_refused",          gateway,  "the gateway refuses connections")                     \
  X(gateway_unreachable,     502, 1, "destination_ip_unroutable",   gateway,  "the gateway cannot be reached")                       \
  X(no_way_to_gateway,       503, 1, "destination_ip_unroutable",   chipgate, "this host has no way to the gateway (no route, no address, or its own firewall)") \
  X(gateway_connect_timeout, 504, 1, "connection_timeout",          gateway,  "the gateway did not accept in time")                  \
  X(gateway_tls_failed,      502, 1, "tls_protocol_error",          gateway,  "the TLS handshake with the gateway failed")           \
  X(gateway_certificate,     502, 1, "tls_certificate_error",       gateway,  "the gateway's certificate is not valid for its name") \
  X(gateway_closed,          502, 1, "connection_terminated",       gateway,  "the gateway closed the connection before its answer") \
  X(gateway_silent,          504, 1, "http_response_timeout",       gateway,  "the gateway did not answer in time")                  \
  X(gateway_garbled,         502, 1, "http_protocol_error",         gateway,  "the gateway's answer is not one")                     \
  X(gateway_head_too_large,  502, 1, "http_response_header_section_size", gateway, "the head of the gateway's answer is larger than 16 KiB") \
  /* what the provider answered */                                                                                                   \
  X(provider_auth,           502, 1, "proxy_configuration_error",   provider, "the provider rejects the account's credentials (407)") \
  X(provider_payment,        503, 1, "proxy_configuration_error",   provider, "the provider wants to be paid (402)")                 \
  X(provider_denied_target,  403, 2, "http_request_denied",         provider, "the provider does not carry this target (403)")       \
  X(provider_rate_limited,   429, 1, "connection_limit_reached",    provider, "the provider limits the account's rate (429)")        \
  X(provider_session_lost,   502, 1, "destination_unavailable",     provider, "the session's exit is gone (502, 410)")               \
  X(provider_no_exit,        503, 1, "destination_unavailable",     provider, "the provider has no exit to give (503, 525)")         \
  X(provider_exit_timeout,   504, 4, "connection_timeout",          provider, "the exit did not reach the target in time (504, 522)") \
  X(provider_refused,        502, 1, "http_protocol_error",         provider, "the provider refused the request")                    \
  X(target_unreachable,      502, 4, "destination_unavailable",     provider, "the exit cannot reach the target")                    \
  /* how a tunnel ends that was open */                                                                                              \
  X(completed,               0,   0, "connection_terminated",       nobody,   "the plain request was answered")                      \
  X(client_closed,           0,   0, "connection_terminated",       nobody,   "the client closed")                                   \
  X(upstream_closed,         0,   0, "connection_terminated",       nobody,   "the upstream closed")                                 \
  X(client_reset,            0,   0, "connection_terminated",       client,   "the client reset the tunnel")                         \
  X(client_vanished,         0,   0, "connection_timeout",          client,   "the client answered no keepalive")                    \
  X(upstream_reset,          0,   0, "connection_terminated",       gateway,  "the upstream reset the tunnel")                       \
  X(upstream_vanished,       0,   0, "connection_timeout",          gateway,  "the upstream answered no keepalive")                  \
  X(released,                0,   0, "connection_terminated",       nobody,   "the chip's assignment was released or rotated")       \
  X(exit_moved,              0,   0, "connection_terminated",       provider, "targets saw another address than the chip's")         \
  X(renewed,                 0,   0, "connection_terminated",       nobody,   "the chip's next assignment took over")                \
  X(idle_timeout,            0,   0, "connection_timeout",          nobody,   "no byte for idle_timeout")                            \
  X(half_closed_timeout,     0,   0, "connection_timeout",          nobody,   "one side ended, and the other was quiet for half_closed") \
  X(first_reply_timeout,     0,   0, "http_response_timeout",       provider, "the client sent, and never a byte came back")         \
  X(cut_by_operator,         0,   0, "connection_terminated",       nobody,   "an operator cut the tunnel")
// clang-format on

enum class ErrorKind : std::uint8_t {
#define CHIPGATE_ENUMERATOR(name, status, rep, type, fault, message) name,
  CHIPGATE_ERRORS(CHIPGATE_ENUMERATOR)
#undef CHIPGATE_ENUMERATOR
};

#define CHIPGATE_ONE(name, status, rep, type, fault, message) +1
inline constexpr std::size_t error_count = 0 CHIPGATE_ERRORS(CHIPGATE_ONE);
#undef CHIPGATE_ONE

const ErrorInfo& info(ErrorKind);
// What to change in the client, for the log and the answer; empty where the message says all that is to be said.
std::string_view hint(ErrorKind);
std::string_view name(Fault);
// The gateway took what it was sent, and said nothing to it.
bool is_wordless(ErrorKind);

// An error as it travels: its kind, and what only this occurrence knows (a reason header, errno's text). The detail
// comes from peers: it must be escaped where it is printed, and never carries credentials.
struct Error {
  ErrorKind kind;
  std::string detail{};

  friend bool operator==(const Error& error, ErrorKind wanted) { return error.kind == wanted; }
};

}  // namespace chipgate
