// Templates of credentials, and wire sessions made for them.
#include "chipgate/provider/provider.hpp"
#include "chipgate/provider/template.hpp"
#include "fuzz.hpp"

#include <string>

using namespace chipgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto input = fuzz::text(bytes, size);
  // One line each: the two templates, the account's name, the session.
  std::array<std::string, 4> lines;
  std::size_t begin = 0;
  for (auto& line : lines) {
    const auto end = std::min(input.find('\n', begin), input.size());
    line = input.substr(begin, end - begin);
    begin = std::min(end + 1, input.size());
  }
  const auto parsed = provider::Template::parse(lines[0]);
  if (const auto* const made = std::get_if<provider::Template>(&parsed)) {
    provider::Values values;
    values[provider::Placeholder::session] = lines[3];
    (void)made->render(values);
  }
  provider::ProviderOptions options;
  options.preset = "custom";
  options.username = lines[2];
  options.password = Secret("pw");
  options.username_template = lines[0];
  options.password_template = lines[1];
  const auto made = provider::Provider::make(options);
  if (made.has_error()) {
    fuzz::require(!made.error().empty(), "a refusal has a reason");
    return 0;
  }
  const auto written = made->render(WireSession(lines[3]));
  const auto everything = std::string(written.username.reveal()) + std::string(written.password.reveal());
  fuzz::require(everything.find(lines[3]) != std::string::npos, "credentials name their session");
  return 0;
}
