// Which refusal a client understands, and its bytes.
#include "chipgate/protocol/refusal.hpp"

#include "chipgate/base/ascii.hpp"
#include "chipgate/protocol/socks.hpp"

#include <string_view>

namespace chipgate::protocol {
namespace {

// Long enough for a reason header, short enough that a peer cannot fill a client's log.
constexpr std::size_t longest_details = 200;

std::string_view reason_phrase(std::uint16_t status) {
  switch (status) {
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 407: return "Proxy Authentication Required";
    case 408: return "Request Timeout";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Bad Gateway";
  }
}

// A fault in how the request was written, or in how slowly: only its author can mend it, and must be told how.
bool is_about_the_request(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::malformed_request:
    case ErrorKind::head_too_large:
    case ErrorKind::head_timeout:
    case ErrorKind::too_many_handshakes:
    case ErrorKind::head_truncated:
    case ErrorKind::body_timeout:
    case ErrorKind::not_a_proxy_request:
    case ErrorKind::cleartext_https:
    case ErrorKind::cleartext_upgrade: return true;
    default: return false;
  }
}

bool is_never_told(ErrorKind kind) { return info(kind).status == 0; }

// Whoever sends what is no request is being written or tried out; a WhatsApp client's CONNECT is complete.
bool is_read_by_its_author(const RefusedClient& client, ErrorKind kind) {
  return client.request == RequestKind::absolute ||
         (client.request == RequestKind::none_yet && is_about_the_request(kind));
}

RefusalForm http_form(const RefusedClient& client, ErrorKind kind) {
  if (is_read_by_its_author(client, kind)) return RefusalForm::status;
  switch (client.style) {
    case FailStyle::status: return RefusalForm::status;
    case FailStyle::reset: return RefusalForm::reset;
    case FailStyle::established: return RefusalForm::established_then_reset;
    case FailStyle::automatic: break;
  }
  if (client.user_agent == UserAgent::present) return RefusalForm::status;
  return client.reach == ListenerReach::direct ? RefusalForm::reset : RefusalForm::established_then_reset;
}

RefusalForm socks_form(const RefusedClient& client, ErrorKind kind) {
  if (kind == ErrorKind::socks_command_refused || kind == ErrorKind::socks_address_unknown) {
    return RefusalForm::socks_reply;
  }
  if (client.request == RequestKind::none_yet) return RefusalForm::reset;
  switch (client.style) {
    case FailStyle::status: return RefusalForm::socks_reply;
    case FailStyle::reset: return RefusalForm::reset;
    default: return RefusalForm::established_then_reset;
  }
}

// RFC 8941 section 3.3.3: a quoted string of printable ASCII, with '"' and '\' escaped.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : printable(text, longest_details)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

std::string details(const Error& error) {
  std::string text(info(error.kind).message);
  if (!error.detail.empty()) text.append(": ").append(error.detail);
  return quoted(text);
}

// What a client may do about it.
std::string advice(std::uint16_t status) {
  if (status == 407) return "Proxy-Authenticate: Basic realm=\"chipgate\"\r\n";
  if (status == 429 || status == 503) return "Retry-After: 1\r\n";
  return {};
}

}  // namespace

RefusalForm refusal_form(const RefusedClient& client, ErrorKind kind) {
  if (is_never_told(kind)) return RefusalForm::silent_close;
  return client.protocol == ClientProtocol::http ? http_form(client, kind) : socks_form(client, kind);
}

std::string refusal_answer(ClientProtocol protocol, RefusalForm form, const Error& error, ResponseTo request) {
  switch (form) {
    case RefusalForm::status: return status_refusal(error, request);
    case RefusalForm::established_then_reset: return established_answer(protocol);
    case RefusalForm::socks_reply:
      return protocol == ClientProtocol::socks4 ? socks4_reply(Socks4Outcome::rejected)
                                                : socks5_reply(info(error.kind).socks_reply);
    case RefusalForm::reset:
    case RefusalForm::silent_close: break;
  }
  return {};
}

std::string status_refusal(const Error& error, ResponseTo request) {
  const auto& about = info(error.kind);
  // A kind that is never told gets here only by a bug in the caller, and even then must not be read as a verdict.
  const std::uint16_t status = about.status == 0 ? std::uint16_t{502} : about.status;
  const std::string error_name(about.name);
  std::string body = "chipgate: " + std::string(about.message);
  // The name of what the draws or looks last met: it alone tells what to do.
  if (error.kind == ErrorKind::no_assignment && !error.detail.empty()) body += ": " + error.detail;
  if (const auto fix = hint(error.kind); !fix.empty()) body.append("; ").append(fix);
  body += " [" + error_name + "]\n";
  std::string out = "HTTP/1.1 " + std::to_string(status) + " ";
  // Go reports the reason phrase and nothing else.
  out.append(reason_phrase(status)).append(" (" + error_name + ")\r\n");
  out.append("Proxy-Status: chipgate; error=").append(about.proxy_error).append("; details=" + details(error) + "\r\n");
  out.append("X-Chipgate-Error: " + error_name + "\r\n").append(advice(status));
  out.append("Content-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) + "\r\n");
  out.append("Connection: close\r\n\r\n");
  return request == ResponseTo::head ? out : out + body;
}

std::string established_answer(ClientProtocol protocol) {
  switch (protocol) {
    case ClientProtocol::socks5: return socks5_reply(0);
    case ClientProtocol::socks4: return socks4_reply(Socks4Outcome::granted);
    case ClientProtocol::http: break;
  }
  return "HTTP/1.1 200 Connection established\r\n\r\n";
}

}  // namespace chipgate::protocol
