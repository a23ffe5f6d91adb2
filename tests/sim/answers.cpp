// Answers of the gateway as bytes.
#include "sim/answers.hpp"

#include "chipgate/protocol/socks.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace chipgate::sim {
namespace {

std::string lines(const protocol::Fields& headers) {
  std::string text;
  for (const auto& field : headers) text += fmt::format("{}: {}\r\n", field.name, field.value);
  return text;
}

Fault refusal(unsigned status, std::string_view why) {
  Fault fault;
  fault.status = status;
  fault.headers.add("X-Error-Description", std::string(why));
  return fault;
}

struct Phrase {
  unsigned status;
  std::string_view text;
};
constexpr std::array<Phrase, 15> phrases{{{200, "OK"},
                                          {400, "Bad Request"},
                                          {401, "Unauthorized"},
                                          {402, "Payment Required"},
                                          {403, "Forbidden"},
                                          {404, "Not Found"},
                                          {407, "Proxy Authentication Required"},
                                          {409, "Conflict"},
                                          {410, "Gone"},
                                          {429, "Too Many Requests"},
                                          {500, "Internal Server Error"},
                                          {502, "Bad Gateway"},
                                          {503, "Service Unavailable"},
                                          {504, "Gateway Timeout"},
                                          {522, "Connection Timed Out"}}};

}  // namespace

std::string established(ListenerKind listener, const protocol::Fields& headers) {
  if (listener == ListenerKind::socks5) return protocol::socks5_reply(0);
  return "HTTP/1.1 200 Connection established\r\n" + lines(headers) + "\r\n";
}

std::string refused(ListenerKind listener, const Fault& fault) {
  if (listener == ListenerKind::socks5) return protocol::socks5_reply(fault.rep);
  const auto status = fault.kind == FaultKind::status ? fault.status : 502;
  const auto reason = fault.reason.empty() ? reason_phrase(status) : std::string_view(fault.reason);
  return fmt::format("HTTP/1.1 {} {}\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{}", status, reason,
                     lines(fault.headers), fault.body.size(), fault.body);
}

Fault unauthorized(std::string_view why) {
  auto fault = refusal(407, why);
  fault.headers.add("Proxy-Authenticate", "Basic realm=\"gateway-sim\"");
  return fault;
}

Fault bad_request(std::string_view why) { return refusal(400, why); }

Fault unreachable() {
  auto fault = refusal(502, "the exit cannot reach the target");
  fault.rep = 5;
  return fault;
}

std::string_view reason_phrase(unsigned status) {
  const auto found = std::ranges::find(phrases, status, &Phrase::status);
  return found == phrases.end() ? "Refused" : found->text;
}

}  // namespace chipgate::sim
