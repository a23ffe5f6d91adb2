// The rows of the error table.
#include "chipgate/base/errors.hpp"

#include <array>

namespace chipgate {
namespace {

constexpr std::array<ErrorInfo, error_count> table{{
#define CHIPGATE_ROW(name, status, rep, type, fault, message) \
  ErrorInfo{#name, status, rep, type, Fault::fault, message},
    CHIPGATE_ERRORS(CHIPGATE_ROW)
#undef CHIPGATE_ROW
}};

}  // namespace

const ErrorInfo& info(ErrorKind kind) { return table.at(static_cast<std::size_t>(kind)); }

std::string_view hint(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::cleartext_https:
      return "make the client use CONNECT: axios before 1.7 ignores the scheme in `proxy` and HTTPS_PROXY, so set "
             "proxy: false and httpsAgent: new HttpsProxyAgent(url); any other client wants the agent of "
             "https-proxy-agent for https, not of http-proxy-agent";
    case ErrorKind::cleartext_upgrade:
      return "make the client use CONNECT: agent: new HttpsProxyAgent(url) of https-proxy-agent, not http-proxy-agent";
    default: return {};
  }
}

bool is_wordless(ErrorKind kind) { return kind == ErrorKind::gateway_silent || kind == ErrorKind::gateway_closed; }

std::string_view name(Fault fault) {
  switch (fault) {
    case Fault::nobody: return "nobody";
    case Fault::client: return "client";
    case Fault::chipgate: return "chipgate";
    case Fault::gateway: return "gateway";
    case Fault::provider: return "provider";
  }
  return "nobody";
}

}  // namespace chipgate
