// Heads and bodies of gateways' answers.
#include "chipgate/protocol/http_reader.hpp"
#include "chipgate/protocol/http_rewrite.hpp"
#include "http_pieces.hpp"

using namespace chipgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  // The first byte says what is answered.
  const auto to = static_cast<protocol::ResponseTo>(bytes[0] % 3);
  const auto input = fuzz::text(bytes + 1, size - 1);
  fuzz::same_in_all_pieces([to] { return protocol::ResponseReader(to); }, input);
  protocol::ResponseReader reader(to);
  const auto taken = reader.take(input);
  if (taken.has_error() || !reader.head_complete()) return 0;
  const auto written = protocol::forward_response_head(reader.head(), protocol::KeepAlive::no);
  protocol::ResponseReader again(to);
  const auto whole = again.take(written);
  if (whole.has_error() && whole.error().kind == ErrorKind::gateway_head_too_large) return 0;
  fuzz::require(whole.has_value() && again.head_complete(), "what is forwarded is a head");
  fuzz::require(again.head().status == reader.head().status, "the status is the same");
  (void)reader.finish();
  return 0;
}
