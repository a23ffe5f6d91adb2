// Which fields stop here, and which go on.
#include "chipgate/protocol/http_rewrite.hpp"

#include "chipgate/base/ascii.hpp"

#include <algorithm>
#include <array>

namespace chipgate::protocol {
namespace {

constexpr std::string_view crlf = "\r\n";

// Nobody serves http there. http-proxy-agent, given to a request for https, writes such a URL, and all of the request
// in clear text.
constexpr std::uint16_t https_port = 443;

// RFC 9110 section 7.6.1, and Proxy-Connection, which clients invented.
constexpr std::array<std::string_view, 8> hop_by_hop{
    "Connection", "Proxy-Connection",    "Keep-Alive",         "TE",
    "Upgrade",    "Proxy-Authorization", "Proxy-Authenticate", "Proxy-Authentication-Info"};

// A client that named these in Connection would otherwise change where the next hop sees the message end.
constexpr std::array<std::string_view, 4> kept_always{"Content-Length", "Transfer-Encoding", "Trailer", "Host"};

constexpr std::string_view max_forwards = "Max-Forwards";

template <std::size_t N>
bool among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::any_of(names, [&](std::string_view one) { return equals_ignoring_case(one, name); });
}

bool stops_here(const Fields& fields, std::string_view name) {
  if (among(kept_always, name)) return false;
  return among(hop_by_hop, name) || has_token(fields, "Connection", name);
}

std::string line(std::string_view name, std::string_view value) {
  std::string text(name);
  text.append(": ").append(value).append(crlf);
  return text;
}

// As the origin's own clients would write it: the usual port is left out.
std::string http_authority(const Authority& authority) {
  auto text = authority.text();
  if (authority.port == 80) text.erase(text.rfind(':'));
  return text;
}

// RFC 9110 section 7.6.2: it counts hops for OPTIONS; TRACE never gets here. What is no number is nobody's count.
std::string one_less(const RequestHead& head, const Field& field) {
  const auto left = parse_decimal(trim(field.value), UINT64_MAX);
  const bool counts = head.method == "OPTIONS" && left && *left > 0;
  return line(field.name, counts ? std::to_string(*left - 1) : field.value);
}

// RFC 9112 section 3.2.4: OPTIONS for a whole server is written without a path, and as an asterisk to the server
// itself.
std::string target_path(const RequestHead& head, const HttpUrl& url, TargetForm form) {
  constexpr std::string_view scheme = "http://";
  const bool bare = head.target.find_first_of("/?", scheme.size()) == std::string::npos;
  if (head.method != "OPTIONS" || !bare) return url.path_and_query;
  return form == TargetForm::origin ? "*" : "";
}

}  // namespace

Result<HttpUrl> requested_url(const RequestHead& head) {
  auto url = parse_absolute_url(head.target);
  const bool websocket =
      has_token(head.fields, "Connection", "upgrade") && has_token(head.fields, "Upgrade", "websocket");
  if (url.has_error()) {
    const bool https = url.error() == ErrorKind::cleartext_https;
    return https && websocket ? Error{ErrorKind::cleartext_upgrade, url.error().detail} : url.error();
  }
  const bool means_https = url->authority.port == https_port;
  if (!websocket && !means_https) return url;
  return Error{websocket ? ErrorKind::cleartext_upgrade : ErrorKind::cleartext_https, url->authority.text()};
}

bool is_last_hop(const RequestHead& head) {
  return head.method == "OPTIONS" && trim(head.fields.find(max_forwards).value_or("")) == "0";
}

Secret forward_request_head(const RequestHead& head, const HttpUrl& url, TargetForm form,
                            std::string_view proxy_authorization_line) {
  const auto authority = http_authority(url.authority);
  auto start = head.method + " ";
  if (form == TargetForm::absolute) start += "http://" + authority;
  // A client of HTTP/1.0 could not read the chunks that 1.1 allows in the answer.
  start += target_path(head, url, form);
  start += (head.version < 11 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  start += line("Host", authority);
  std::string rest;
  for (const auto& field : head.fields) {
    if (equals_ignoring_case(field.name, "Host") || stops_here(head.fields, field.name)) continue;
    rest += equals_ignoring_case(field.name, max_forwards) ? one_less(head, field) : line(field.name, field.value);
  }
  return Secret(join(std::array<std::string_view, 4>{start, proxy_authorization_line, rest, crlf}));
}

std::string forward_response_head(const ResponseHead& head, KeepAlive keep_alive) {
  auto out = "HTTP/1.1 " + std::to_string(head.status) + " " + head.reason;
  out += crlf;
  for (const auto& field : head.fields) {
    if (!stops_here(head.fields, field.name)) out += line(field.name, field.value);
  }
  if (head.status >= 200) out += line("Connection", keep_alive == KeepAlive::yes ? "keep-alive" : "close");
  return out += crlf;
}

KeepAlive keep_alive(const RequestHead& head) {
  const auto says = [&](std::string_view token) {
    return has_token(head.fields, "Connection", token) || has_token(head.fields, "Proxy-Connection", token);
  };
  // Where both are said (one in each field), closing is what cannot go wrong.
  if (says("close")) return KeepAlive::no;
  return head.version >= 11 || says("keep-alive") ? KeepAlive::yes : KeepAlive::no;
}

Secret connect_request(const Authority& target, std::string_view proxy_authorization_line) {
  const auto authority = target.text();
  const auto start = "CONNECT " + authority + " HTTP/1.1\r\n" + line("Host", authority);
  return Secret(join(std::array<std::string_view, 3>{start, proxy_authorization_line, crlf}));
}

}  // namespace chipgate::protocol
