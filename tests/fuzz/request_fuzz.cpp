// Heads and bodies of clients' requests, and what is made of them for the gateway.
#include "chipgate/protocol/authority.hpp"
#include "chipgate/protocol/http_reader.hpp"
#include "chipgate/protocol/http_rewrite.hpp"
#include "http_pieces.hpp"

using namespace chipgate;

namespace {

// What goes to the gateway is read there as one head, and carries no field that speaks of the client's hop.
void check_forwarded(const protocol::RequestHead& head) {
  (void)protocol::parse_authority(head.target);
  const auto url = protocol::parse_absolute_url(head.target);
  if (url.has_error()) return;
  const auto line = "Proxy-Authorization: Basic dTpw\r\n";
  const auto written = protocol::forward_request_head(head, *url, protocol::TargetForm::absolute, line);
  protocol::RequestReader again;
  const auto taken = again.take(written.reveal());
  // What is added may make a head too long that was just short enough.
  if (taken.has_error() && taken.error().kind == ErrorKind::head_too_large) return;
  fuzz::require(taken.has_value() && again.head_complete(), "what is forwarded is a head");
  fuzz::require(*taken == written.reveal().size(), "what is forwarded is one head and no more");
  fuzz::require(again.head().fields.all("proxy-authorization").size() == 1, "there is one Proxy-Authorization");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto input = fuzz::text(bytes, size);
  fuzz::same_in_all_pieces([] { return protocol::RequestReader(); }, input);
  protocol::RequestReader reader;
  const auto taken = reader.take(input);
  if (taken.has_value() && reader.head_complete()) check_forwarded(reader.head());
  return 0;
}
