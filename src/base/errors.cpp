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
