// Reading IMF-fixdate.
#include "chipgate/protocol/http_date.hpp"

#include <ctime>
#include <string>

namespace chipgate::protocol {

std::optional<WallTime> parse_http_date(std::string_view text) {
  const std::string terminated(text);
  std::tm parts{};
  // The program never leaves the C locale, in which days and months have their English names.
  const char* const rest = ::strptime(terminated.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace chipgate::protocol
