// Connecting to the running chipgate.
#pragma once

#include "chipgate/net/unique_fd.hpp"
#include "client.hpp"

namespace chipgate::cli {

// A blocking socket that waits for `patience` at most, whenever it waits. Throws Failed.
net::UniqueFd dial(const AdminAddress& address, Milliseconds patience);

}  // namespace chipgate::cli
