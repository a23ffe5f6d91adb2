// Incremental HTTP/1.x readers: they parse a head, and follow the body's framing so that its bytes are forwarded as
// they are.
//
// A reader reads one message. `take` says how many of the bytes belong to it: bytes of the head are kept inside, and
// `take` returns after the head's end, so that the caller looks at head() first; bytes of the body are only followed,
// and are the caller's to forward. What `take` leaves is the next message, or the tunnel.
//
// What two parsers could read in two ways is refused, never repaired (request smuggling): Content-Length with
// Transfer-Encoding, two lengths, folded lines, space before a colon, CR or LF alone, control characters; in heads,
// chunk headers and trailers alike.
#pragma once

#include "chipgate/base/result.hpp"
#include "chipgate/protocol/http_message.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace chipgate::protocol {

// Errors: malformed_request, head_too_large.
class RequestReader {
 public:
  RequestReader();
  RequestReader(RequestReader&&) noexcept;
  RequestReader& operator=(RequestReader&&) noexcept;
  ~RequestReader();

  Result<std::size_t> take(std::string_view bytes);
  bool head_complete() const;
  // CONNECT is complete with its head: what follows is the tunnel's. One that announces a body is refused.
  bool complete() const;
  const RequestHead& head() const;
  // A head that was refused, as it was written, as far as it was read. Empty where none was.
  std::string_view refused_head() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The request decides whether its answer has a body.
enum class ResponseTo : std::uint8_t { connect, head, other };

// Errors: gateway_garbled, gateway_head_too_large, and at the end of the stream gateway_closed.
class ResponseReader {
 public:
  explicit ResponseReader(ResponseTo request);
  ResponseReader(ResponseReader&&) noexcept;
  ResponseReader& operator=(ResponseReader&&) noexcept;
  ~ResponseReader();

  Result<std::size_t> take(std::string_view bytes);
  bool head_complete() const;
  // A 1xx is a complete message of its own: another reader takes the final one. A 2xx to CONNECT is complete with its
  // head, and its Content-Length and Transfer-Encoding are dropped unread (RFC 9110 section 9.3.6).
  bool complete() const;
  const ResponseHead& head() const;
  // The body ends where the connection does, so that nothing can follow on it.
  bool body_until_eof() const;
  // The gateway ended: completes a body_until_eof(), an error for any other incomplete message.
  Result<void> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace chipgate::protocol
