// The rules for each byte of a head.
#include "http_head_buffer.hpp"

#include "chipgate/protocol/http_message.hpp"

#include <utility>

namespace chipgate::protocol {

Result<std::size_t> HeadBuffer::take(std::string_view bytes) {
  for (std::size_t taken = 0; taken < bytes.size(); ++taken) {
    if (complete()) return taken;
    if (text_.size() == largest_head) {
      return Error{kind_ == HeadOf::request ? ErrorKind::head_too_large : ErrorKind::gateway_head_too_large};
    }
    if (const auto* complaint = complaint_about(bytes[taken])) return malformed(complaint);
    text_.push_back(bytes[taken]);
  }
  return bytes.size();
}

const char* HeadBuffer::complaint_about(char next) const {
  // A gateway that speaks something else (SSH, TLS, HTML) shows it in its first bytes.
  constexpr std::string_view protocol = "HTTP/1.";
  if (kind_ == HeadOf::response && text_.size() < protocol.size() && next != protocol[text_.size()]) {
    return "not an HTTP/1 answer";
  }
  const char last = text_.empty() ? '\n' : text_.back();
  if ((last == '\r') != (next == '\n')) return "a line ends in CR or LF alone";
  if (last == '\n' && (next == ' ' || next == '\t')) return "a folded line";
  if (next == '\r') return text_.empty() ? "an empty line before the head" : nullptr;
  const auto byte = static_cast<unsigned char>(next);
  const bool control = (byte < 0x20 && next != '\n' && next != '\t') || byte == 0x7f;
  return control ? "a control character in the head" : nullptr;
}

Error HeadBuffer::malformed(std::string why) const {
  return {kind_ == HeadOf::request ? ErrorKind::malformed_request : ErrorKind::gateway_garbled, std::move(why)};
}

}  // namespace chipgate::protocol
