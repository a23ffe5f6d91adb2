// One client of the admin server. What speaks HTTP stands behind this, for Beast is slow to compile.
#pragma once

#include "chipgate/admin/router.hpp"
#include "chipgate/admin/server.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <memory>

namespace chipgate::admin {

// What the server and its connections share. A connection's coroutine may be resumed once more after the server is
// gone, and then finds it stopped.
struct Serving {
  ServerSources sources;
  ServerLimits limits;
  Router router;
  std::size_t streams = 0;  // of events
  bool stopped = false;
};

// A connection that waits for a request (or for the rest of its head) may be closed for a new one.
enum class Phase : std::uint8_t { waiting, answering };

class Connection {
 public:
  virtual ~Connection() = default;

  // Until the client leaves, is let go, or the server stops.
  virtual net::Task<void> serve() = 0;
  virtual void close() = 0;

  Phase phase = Phase::waiting;
  TimePoint waiting_since = Clock::now();
};

using ConnectionPointer = std::shared_ptr<Connection>;

ConnectionPointer open_connection(boost::asio::generic::stream_protocol::socket socket, Arrival arrival,
                                  std::shared_ptr<Serving> serving);

}  // namespace chipgate::admin
