// One socket of a connection as its coroutine sees it: bytes come, bytes go, it ends.
#pragma once

#include "sim/connection.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace chipgate::sim {

// Told of every chunk that an origin's socket carries.
class Tap {
 public:
  virtual void came(std::string_view bytes) = 0;
  virtual void went(std::string_view bytes) = 0;
  virtual void ended() = 0;
  virtual void broke() = 0;

 protected:
  ~Tap() = default;
};

struct Leg {
  net::EndPtr end;
  std::string inbox{};  // came, and not yet taken
  Tap* tap = nullptr;
};

// More bytes are in the inbox; false: the peer ended, the socket failed, or the connection is over.
net::Task<bool> fill(Connection& connection, Leg& leg);
// All was handed to the kernel.
net::Task<bool> send(Connection& connection, Leg& leg, std::string_view text);
// One byte a segment.
net::Task<bool> send_split(Connection& connection, Leg& leg, std::string_view text);
// TLS, as the server.
net::Task<bool> shake_hands(Connection& connection, Leg& leg, net::TlsSession session);
net::Task<bool> pause(Connection& connection, Milliseconds time);

// Reads and drops until the peer ends.
net::Task<void> drop_until_end(Connection& connection, Leg& leg);
// Ends our direction, waits a moment for the peer's end, and closes. A close with unread bytes would be a reset, and
// the peer might lose the answer.
net::Task<void> close_gently(Connection& connection, Leg& leg);
void close_at_once(Leg& leg, CloseHow how);

}  // namespace chipgate::sim
