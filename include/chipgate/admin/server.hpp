// The admin server: metrics, readiness and the API over HTTP on the control thread.
#pragma once

#include "chipgate/admin/options.hpp"
#include "chipgate/admin/readiness.hpp"
#include "chipgate/base/duration.hpp"

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace chipgate::telemetry {
class Exposition;
class Log;
}  // namespace chipgate::telemetry

namespace chipgate::admin {

struct Api;

// How much of the control thread strangers may take; the defaults are for people and scrapers.
struct ServerLimits {
  Milliseconds head_timeout{10'000};
  Milliseconds keep_alive{30'000};
  // A client that does not take its answer is let go after this without progress.
  Milliseconds write_timeout{30'000};
  // A backend that starts again may connect all of its chips at once, and each waits on a connection of its own.
  std::size_t connections = 512;
  // Those that stream events, of the connections above.
  std::size_t event_streams = 16;
  // A silent stream says that it still lives.
  Milliseconds heartbeat{15'000};
};

// What the server asks; all of it must outlive the server.
struct ServerSources {
  const telemetry::Exposition& exposition;
  const ReadinessSource& readiness;
  telemetry::Log& log;
  Api* api = nullptr;  // without it, only metrics and readiness are served
};

// Made, used and destroyed on the thread of its io_context. Nothing a client does makes it throw.
class Server {
 public:
  // Binds and listens; throws boost::system::system_error where the address cannot be had. A Unix socket is made with
  // the mode 0660, in the place of one that nobody listens on any more.
  Server(boost::asio::io_context& context, const AdminOptions& options, const ServerSources& sources,
         const ServerLimits& limits = {});
  // As stop().
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The port that is bound, also where the options said 0. 0 for a Unix socket.
  std::uint16_t port() const;
  // Closes the port and every connection; the io_context runs out of the server's work by itself, once the actions
  // that were begun are finished.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace chipgate::admin
