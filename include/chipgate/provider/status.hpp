// What a gateway means by its answer to CONNECT.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/errors.hpp"
#include "chipgate/protocol/http_message.hpp"

#include <optional>

namespace chipgate::provider {

// An answer other than 200. The detail is what its reason headers say, printable and at most 200 characters.
Error classify_connect_status(unsigned status, const protocol::Fields&);

// The exit's address, from the few providers that name it in their reply. Bright Data gives a hash of it for
// residential exits, which is not an address.
std::optional<IpAddress> exit_address(const protocol::Fields&);

}  // namespace chipgate::provider
