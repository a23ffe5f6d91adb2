// HTTP messages between sockets and readers.
#pragma once

#include "chipgate/protocol/http_reader.hpp"
#include "sim/leg.hpp"

namespace chipgate::sim {

enum class HeadOutcome : std::uint8_t { complete, ended, malformed };

template <class Reader>
net::Task<HeadOutcome> read_head(Connection& connection, Leg& from, Reader& reader) {
  while (!reader.head_complete()) {
    if (from.inbox.empty()) {
      const bool more = co_await fill(connection, from);
      if (!more) co_return HeadOutcome::ended;
    }
    const auto taken = reader.take(from.inbox);
    if (taken.has_error()) co_return HeadOutcome::malformed;
    from.inbox.erase(0, *taken);
  }
  co_return HeadOutcome::complete;
}

// Only an answer may end with its connection.
inline bool ends_well(protocol::RequestReader&) { return false; }
inline bool ends_well(protocol::ResponseReader& reader) { return reader.finish().has_value(); }

// The rest of the message, as it is. An end of the stream completes a body that is framed by it.
template <class Reader>
net::Task<bool> pass_body(Connection& connection, Leg& from, Leg& to, Reader& reader) {
  while (!reader.complete()) {
    if (from.inbox.empty()) {
      const bool more = co_await fill(connection, from);
      if (!more) co_return ends_well(reader);
    }
    const auto taken = reader.take(from.inbox);
    if (taken.has_error()) co_return false;
    const bool sent = co_await send(connection, to, std::string_view(from.inbox).substr(0, *taken));
    if (!sent) co_return false;
    from.inbox.erase(0, *taken);
  }
  co_return true;
}

}  // namespace chipgate::sim
