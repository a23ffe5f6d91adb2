// Gateways' status codes and reason headers.
#include "chipgate/provider/status.hpp"

#include "chipgate/base/ascii.hpp"

#include <array>
#include <string>
#include <string_view>

namespace chipgate::provider {
namespace {

constexpr std::size_t longest_detail = 200;

// Where providers say why: Oxylabs, Bright Data (three of its own, and RFC 9209 since), SOAX, Helodata.
constexpr std::array<std::string_view, 8> reason_headers{"X-Error-Description", "x-brd-err-code",       "x-brd-err-msg",
                                                         "x-brd-error",         "Proxy-Status",         "X-SOAX-Error",
                                                         "X-SOAX-Detail",       "X-Helodata-Error-Code"};

constexpr std::array<std::string_view, 2> exit_headers{"x-brd-ip", "X-Exit-IP"};

ErrorKind kind(unsigned status) {
  switch (status) {
    case 402: return ErrorKind::provider_payment;
    case 403: return ErrorKind::provider_denied_target;
    case 407: return ErrorKind::provider_auth;
    case 410:
    case 502: return ErrorKind::provider_session_lost;
    case 429: return ErrorKind::provider_rate_limited;
    case 503:
    case 525: return ErrorKind::provider_no_exit;
    case 504:
    case 522: return ErrorKind::provider_exit_timeout;
    default: return ErrorKind::provider_refused;
  }
}

}  // namespace

Error classify_connect_status(unsigned status, const protocol::Fields& fields) {
  std::string detail = std::to_string(status);
  for (const auto header : reason_headers) {
    const auto value = fields.find(header);
    if (!value || trim(*value).empty()) continue;
    detail.append("; ").append(header).append(": ").append(trim(*value));
  }
  return Error{kind(status), printable(detail, longest_detail)};
}

std::optional<IpAddress> exit_address(const protocol::Fields& fields) {
  for (const auto header : exit_headers) {
    const auto value = fields.find(header);
    if (!value) continue;
    if (const auto address = IpAddress::parse(trim(*value))) return address;
  }
  return std::nullopt;
}

}  // namespace chipgate::provider
