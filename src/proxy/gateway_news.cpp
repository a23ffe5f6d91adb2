// Choosing what the life cycle hears of the gateway.
#include "chipgate/proxy/gateway_news.hpp"

#include <algorithm>

namespace chipgate::proxy {
namespace {

constexpr std::chrono::seconds interval{1};

// What may mean that the exit or the account is gone. A target that is denied or down says nothing about either; a
// general failure may be all that a SOCKS5 gateway says of a session that it has lost (RFC 1928 section 6).
bool is_about_the_session(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::provider_session_lost:
    case ErrorKind::provider_no_exit:
    case ErrorKind::provider_exit_timeout:
    case ErrorKind::provider_refused:
    case ErrorKind::gateway_unresolved:
    case ErrorKind::gateway_refused:
    case ErrorKind::gateway_unreachable:
    case ErrorKind::gateway_connect_timeout:
    case ErrorKind::gateway_tls_failed:
    case ErrorKind::gateway_certificate:
    case ErrorKind::gateway_closed:
    case ErrorKind::gateway_silent:
    case ErrorKind::gateway_garbled:
    case ErrorKind::gateway_head_too_large:
    case ErrorKind::first_reply_timeout: return true;
    default: return false;
  }
}

}  // namespace

bool OnceASecond::ask(TimePoint now) {
  if (last_ != TimePoint{} && now - last_ < interval) return false;
  last_ = now;
  return true;
}

bool GatewayNews::tells(ErrorKind kind, TimePoint now) {
  const auto* const found = std::ranges::find(account_kinds, kind);
  if (found == account_kinds.end()) return is_about_the_session(kind) && any_.ask(now);
  if (!account_.at(static_cast<std::size_t>(found - account_kinds.begin())).ask(now)) return false;
  (void)any_.ask(now);
  return true;
}

}  // namespace chipgate::proxy
