// The bearer token that guards the control port.
#pragma once

#include "chipgate/admin/options.hpp"
#include "chipgate/base/secret.hpp"

namespace chipgate::telemetry {
class Log;
}

namespace chipgate::admin {

// The configured token, else the file's. A file that does not exist is made with 256 random bits, for its owner only.
// Throws std::runtime_error where it cannot be read or made, or holds no token.
Secret provide_token(const AdminOptions&, telemetry::Log&);

}  // namespace chipgate::admin
