// How a client is told no, so that it reconnects instead of hanging, or of taking the refusal for a verdict about its
// login.
//
// Measured: Baileys hangs for ever on any status but 200, takes a close or a SOCKS reply other than 0 for a bad session
// (and bots then delete the login), and reconnects after a reset. Browsers, Go and curl report a status properly, and
// are told apart by their User-Agent, which no Node client sends with CONNECT.
#pragma once

#include "chipgate/base/errors.hpp"
#include "chipgate/protocol/http_reader.hpp"
#include "chipgate/protocol/sniff.hpp"

#include <cstdint>
#include <string>

namespace chipgate::protocol {

enum class FailStyle : std::uint8_t { automatic, status, reset, established };
// A user-space forwarder (docker-proxy) turns a reset into a close.
enum class ListenerReach : std::uint8_t { direct, through_userland_proxy };
enum class UserAgent : std::uint8_t { absent, present };
// What was asked when it was refused; none_yet where the request is not complete.
enum class RequestKind : std::uint8_t { connect, absolute, none_yet };

enum class RefusalForm : std::uint8_t {
  status,                  // an HTTP answer, then a lingering close
  reset,                   // RST, nothing before it
  established_then_reset,  // 200, REP 0 or granted, and once that is acknowledged RST
  socks_reply,             // REP from the table of errors (SOCKS4: rejected), then a lingering close
  silent_close,            // nobody is there to be told
};

struct RefusedClient {
  FailStyle style = FailStyle::automatic;
  ClientProtocol protocol = ClientProtocol::http;
  RequestKind request = RequestKind::none_yet;
  UserAgent user_agent = UserAgent::absent;
  ListenerReach reach = ListenerReach::direct;
};

// Whatever the style, an HTTP client gets a status for an absolute-form request, which is an ordinary request with an
// ordinary answer, and for faults of a request that is not complete: its author must read them. A complete CONNECT
// without a User-Agent gets none, not even 407: it would leave Baileys connecting for ever. A SOCKS client gets 7 and 8
// for a command or address that is not carried, and a reset while it has not asked yet, when no answer would fit.
RefusalForm refusal_form(const RefusedClient& client, ErrorKind kind);

// The bytes that go out before the close or reset; empty for reset and silent_close.
std::string refusal_answer(ClientProtocol protocol, RefusalForm form, const Error& error,
                           ResponseTo request = ResponseTo::other);

// The whole HTTP answer, with Proxy-Status (RFC 9209), and without its body where it answers HEAD. The error's detail
// is cleaned and cut: it comes from peers.
std::string status_refusal(const Error& error, ResponseTo request = ResponseTo::other);

// "You are through", in the client's protocol.
std::string established_answer(ClientProtocol protocol);

}  // namespace chipgate::protocol
