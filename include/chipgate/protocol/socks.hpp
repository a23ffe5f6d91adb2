// SOCKS5 (RFC 1928, RFC 1929) and SOCKS4/4a as functions over bytes: what clients say to chipgate, and what chipgate
// says to a SOCKS5 gateway.
//
// A parser is given all bytes so far, and answers "not enough yet", a value with the number of bytes that it took, or
// an error. What follows those bytes is the next step's.
#pragma once

#include "chipgate/base/result.hpp"
#include "chipgate/base/secret.hpp"
#include "chipgate/protocol/authority.hpp"
#include "chipgate/protocol/basic.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chipgate::protocol {

template <class T>
struct Taken {
  T value;
  std::size_t bytes;
};

// nullopt: more bytes are needed.
template <class T>
using Parse = Result<std::optional<Taken<T>>>;

enum class SocksMethod : std::uint8_t { no_auth = 0, password = 2, none_acceptable = 0xff };
enum class SocksCommand : std::uint8_t { connect, bind, udp_associate, unknown };
enum class SocksAuth : std::uint8_t { accepted, rejected };
enum class Socks4Outcome : std::uint8_t { granted, rejected };

struct SocksGreeting {
  bool no_auth = false;   // offered
  bool password = false;  // offered
};

// The target is that of a CONNECT, with an empty host where that is not a host and a port: the request is complete, and
// wants an answer to a request. Other commands carry none (UDP ASSOCIATE usually names 0.0.0.0:0).
struct SocksRequest {
  SocksCommand command = SocksCommand::unknown;
  Authority target;
};

// --- a client talks to chipgate; errors: malformed_request, socks_address_unknown
Parse<SocksGreeting> parse_socks5_greeting(std::string_view bytes);
Parse<BasicCredentials> parse_socks5_credentials(std::string_view bytes);
Parse<SocksRequest> parse_socks5_request(std::string_view bytes);
Parse<SocksRequest> parse_socks4_request(std::string_view bytes);

std::string socks5_method(SocksMethod method);
std::string socks5_auth_status(SocksAuth status);
std::string socks5_reply(std::uint8_t rep);
std::string socks4_reply(Socks4Outcome outcome);

// --- chipgate talks to a gateway; errors: provider_auth, gateway_garbled
// Offers the password alone: a gateway that picked "no authentication" would never learn the session, and would send
// the chip out by another exit.
std::string socks5_client_greeting();
// Both at most 255 bytes, which configuration makes sure of; longer ones are a bug and throw.
Secret socks5_client_credentials(std::string_view username, std::string_view password);
std::string socks5_client_request(const Authority& target);

Parse<SocksMethod> parse_socks5_method_answer(std::string_view bytes);
Parse<SocksAuth> parse_socks5_auth_answer(std::string_view bytes);
// REP. A refusal is known with its second byte: many servers end there.
Parse<std::uint8_t> parse_socks5_reply(std::string_view bytes);

// For any REP but 0.
ErrorKind error_of_socks_reply(std::uint8_t rep);

}  // namespace chipgate::protocol
