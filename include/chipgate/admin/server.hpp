// The admin server: /metrics, /livez and /readyz over HTTP on the control thread.
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

// How much of the control thread strangers may take; the defaults are for people and scrapers.
struct ServerLimits {
  Milliseconds head_timeout{10'000};
  Milliseconds keep_alive{30'000};
  // A client that does not take its answer is let go after this without progress.
  Milliseconds write_timeout{30'000};
  std::size_t connections = 64;
};

// What the server asks; all of it must outlive the server.
struct ServerSources {
  const telemetry::Exposition& exposition;
  const ReadinessSource& readiness;
  telemetry::Log& log;
};

// Made, used and destroyed on the thread of its io_context. Nothing a client does makes it throw.
class Server {
 public:
  // Binds and listens; throws boost::system::system_error where the address cannot be had.
  Server(boost::asio::io_context& context, const AdminOptions& options, const ServerSources& sources,
         const ServerLimits& limits = {});
  // As stop().
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The port that is bound, also where the options said 0.
  std::uint16_t port() const;
  // Closes the port and every connection; the io_context runs out of the server's work by itself.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace chipgate::admin
