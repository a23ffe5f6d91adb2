// Credentials of clients, as Proxy-Authorization has them.
#include "chipgate/protocol/basic.hpp"
#include "fuzz.hpp"

#include <string>

using namespace chipgate;

namespace {

void check_base64(std::string_view input) {
  const auto written = protocol::base64_encode(input);
  fuzz::require(written.size() == (input.size() + 2) / 3 * 4, "base64 is as long as it must be");
  fuzz::require(protocol::base64_decode(written) == input, "what is encoded is decoded");
  const auto read = protocol::base64_decode(input);
  fuzz::require(!read || protocol::base64_decode(protocol::base64_encode(*read)) == read, "what is decoded is encoded");
}

// What a client says is what a gateway would be told.
void check_credentials(std::string_view value) {
  const auto read = protocol::parse_basic(value);
  if (!read) return;
  fuzz::require(read->username.find(':') == std::string::npos, "a user's name ends at the first colon");
  const auto line = protocol::basic_credentials_line(read->username, read->password.reveal());
  constexpr std::string_view name = "Proxy-Authorization:";
  fuzz::require(line.reveal().starts_with(name) && line.reveal().ends_with("\r\n"), "it is one field");
  fuzz::require(line.reveal().find('\n') == line.reveal().size() - 1, "no byte of theirs ends the line");
  const auto again = protocol::parse_basic(line.reveal().substr(name.size(), line.reveal().size() - name.size() - 2));
  fuzz::require(again.has_value(), "what is written is read");
  fuzz::require(again->username == read->username && again->password.reveal() == read->password.reveal(),
                "they are the same credentials");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto input = fuzz::text(bytes, size);
  check_base64(input);
  check_credentials(input);
  // Random bytes are seldom base64.
  check_credentials("Basic " + protocol::base64_encode(input));
  return 0;
}
