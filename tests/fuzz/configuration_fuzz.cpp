// The configuration file.
#include "chipgate/config/load.hpp"
#include "chipgate/config/redact.hpp"
#include "fuzz.hpp"

#include <string>

using namespace chipgate;

namespace {

constexpr std::string_view secret = "s3cr3t-of-the-environment";

config::Environment environment() {
  return {.variable = [](const std::string& name) -> std::optional<std::string> {
            return name == "SECRET" ? std::optional<std::string>(secret) : std::nullopt;
          },
          .read = [](const std::string&) -> config::FileContent { return {.text = std::nullopt, .error = "no file"}; }};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto loaded = config::parse(fuzz::text(bytes, size), "fuzz.yaml", environment());
  if (loaded.has_error()) {
    fuzz::require(!loaded.error().empty(), "a refusal has a reason");
    return 0;
  }
  // A few bytes ask for 20,000 chips; reading so many once more takes seconds, and finds what a few of them do.
  constexpr std::size_t worth_reading_again = 1'000;
  if (loaded->settings.chips.size() > worth_reading_again) return 0;
  const auto shown = config::redacted_yaml(loaded->settings);
  fuzz::require(config::parse(shown, "shown.yaml", environment()).has_value(), "what is shown may be read again");
  return 0;
}
