// SOCKS4, 4a and 5, from clients and from gateways.
#include "chipgate/protocol/socks.hpp"
#include "fuzz.hpp"

using namespace chipgate;

namespace {

// What is complete with so many bytes is not complete with fewer, and what follows changes nothing.
template <class Parser>
void check(Parser parse, std::string_view input) {
  const auto whole = parse(input);
  if (whole.has_error() || !*whole) return;
  const auto bytes = (*whole)->bytes;
  fuzz::require(bytes <= input.size(), "a parser takes no more than there is");
  const auto exact = parse(input.substr(0, bytes));
  fuzz::require(exact.has_value() && exact->has_value() && (*exact)->bytes == bytes, "the rest is another's");
  for (std::size_t i = 0; i < bytes; ++i) {
    const auto part = parse(input.substr(0, i));
    fuzz::require(part.has_value() && (!part->has_value() || (*part)->bytes <= i), "a part is no error");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const auto input = fuzz::text(bytes + 1, size - 1);
  switch (bytes[0] % 7) {
    case 0: check(protocol::parse_socks5_greeting, input); break;
    case 1: check(protocol::parse_socks5_credentials, input); break;
    case 2: check(protocol::parse_socks5_request, input); break;
    case 3: check(protocol::parse_socks4_request, input); break;
    case 4: check(protocol::parse_socks5_method_answer, input); break;
    case 5: check(protocol::parse_socks5_auth_answer, input); break;
    default: check(protocol::parse_socks5_reply, input); break;
  }
  return 0;
}
