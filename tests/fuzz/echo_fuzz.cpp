// What an echo's page or a gateway's header says of an exit.
#include "chipgate/provider/echo.hpp"
#include "chipgate/provider/status.hpp"
#include "fuzz.hpp"

#include <string>

using namespace chipgate;

namespace {

// An address is written in one form, which is read as the same address.
void check_form(const IpAddress& address) {
  fuzz::require(IpAddress::parse(address.text()) == address, "an address is read as it is written");
}

void check_page(std::string_view page) {
  const auto found = provider::parse_echo(page);
  if (!found) return;
  check_form(*found);
  fuzz::require(page.size() <= 16 * 1024, "a page for people is no answer");
  const auto text = found->text();
  fuzz::require(page.find_first_of("0123456789:") != std::string_view::npos, "an address is in its page");
  fuzz::require(provider::parse_echo("\r\n " + text + "\n") == found, "blanks around it change nothing");
  for (const auto* const key : {"ip", "origin", "query"}) {
    fuzz::require(provider::parse_echo("{\"" + std::string(key) + "\": \"" + text + "\"}") == found,
                  "each key names it");
  }
  const auto* const other = text == "192.0.2.1" ? "192.0.2.2" : "192.0.2.1";
  fuzz::require(!provider::parse_echo("{\"ip\": \"" + text + "\", \"query\": \"" + other + "\"}"),
                "two addresses that differ are no answer");
}

void check_header(std::string_view value) {
  protocol::Fields fields;
  fields.add("x-exit-ip", std::string(value));
  const auto found = provider::exit_address(fields);
  if (!found) return;
  check_form(*found);
  protocol::Fields again;
  again.add("X-BRD-IP", " " + found->text() + "\t");
  fuzz::require(provider::exit_address(again) == found, "either header names it");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto input = fuzz::text(bytes, size);
  check_page(input);
  check_header(input);
  return 0;
}
