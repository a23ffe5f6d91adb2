// Listening, and keeping the number of clients within bounds.
#include "chipgate/admin/server.hpp"

#include "chipgate/base/ascii.hpp"
#include "chipgate/telemetry/log.hpp"
#include "connection.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <vector>

namespace chipgate::admin {
namespace {

namespace asio = boost::asio;
using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

constexpr auto as_result = asio::as_tuple(net::use_task);

// After EMFILE and the like: soon enough for a scraper, and no spinning.
constexpr Milliseconds accept_pause{100};
// The owner and its group: whoever may open the socket still needs the token.
constexpr mode_t socket_mode = 0660;

// Whether a process of this network namespace has it open. Asking it by connecting would need a dialer here.
bool is_listened_on(const std::string& path) {
  std::ifstream sockets("/proc/net/unix");
  for (std::string line; std::getline(sockets, line);) {
    if (line.ends_with(' ' + path)) return true;
  }
  return false;
}

void remove_stale(const std::string& path) {
  const auto status = std::filesystem::symlink_status(path);
  if (status.type() == std::filesystem::file_type::socket && !is_listened_on(path)) std::filesystem::remove(path);
}

asio::generic::stream_protocol::endpoint endpoint_of(const AdminOptions& options) {
  if (!options.unix_socket.empty()) return asio::local::stream_protocol::endpoint(options.unix_socket);
  return asio::ip::tcp::endpoint(asio::ip::make_address(options.listen.ip.text()), options.listen.port);
}

}  // namespace

// Shared with the coroutines, as the serving is.
class Server::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, const AdminOptions& options, const ServerSources& sources, const ServerLimits& limits)
      : serving_(std::make_shared<Serving>(
            Serving{sources, limits, Router(options.hosts, {sources.readiness, sources.api})})),
        path_(options.unix_socket),
        context_(context),
        acceptor_(context),
        pause_(context) {
    listen(endpoint_of(options));
  }

  void start() { spawn(accept_all(shared_from_this())); }

  std::uint16_t port() { return path_.empty() ? local_address(acceptor_.native_handle()).port : 0; }

  void stop() {
    if (std::exchange(serving_->stopped, true)) return;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    std::error_code gone;
    if (!path_.empty()) std::filesystem::remove(path_, gone);
    if (serving_->sources.api != nullptr) serving_->sources.api->events.wake();
    for (const auto& connection : std::exchange(connections_, {})) connection->close();
  }

 private:
  void listen(const asio::generic::stream_protocol::endpoint& endpoint) {
    if (!path_.empty()) remove_stale(path_);
    acceptor_.open(endpoint.protocol());
    if (path_.empty()) acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.bind(endpoint);
    // Nobody can come before it listens.
    if (!path_.empty() && ::chmod(path_.c_str(), socket_mode) != 0) {
      throw boost::system::system_error(errno, boost::system::system_category());
    }
    acceptor_.listen();
  }

  // An exception that leaves a coroutine is a bug, and ends the process by leaving the io_context.
  void spawn(net::Task<void> task) {
    asio::co_spawn(context_.get_executor(), std::move(task), [](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
    });
  }

  net::Task<void> accept_all([[maybe_unused]] std::shared_ptr<Impl> self) {
    while (!serving_->stopped) {
      auto [error, socket] = co_await acceptor_.async_accept(as_result);
      if (serving_->stopped) co_return;
      if (!error) {
        admit(std::move(socket));
        continue;
      }
      serving_->sources.log.warn("admin_accept_failed", {{"reason", error.message()}});
      pause_.expires_after(accept_pause);
      co_await pause_.async_wait(as_result);
    }
  }

  void admit(asio::generic::stream_protocol::socket socket) {
    const auto most = serving_->limits.connections;
    if (connections_.size() >= most) close_oldest_waiting();
    // All of them are being answered: the newcomer has to come again.
    if (connections_.size() >= most) return;
    const auto arrival = path_.empty() ? Arrival::tcp : Arrival::unix_socket;
    const auto connection = open_connection(std::move(socket), arrival, serving_);
    connections_.push_back(connection);
    spawn(serve(shared_from_this(), connection));
  }

  void close_oldest_waiting() {
    const auto rank = [](const auto& connection) { return std::pair(connection->phase, connection->waiting_since); };
    const auto oldest = std::ranges::min_element(connections_, {}, rank);
    if (oldest == connections_.end() || (*oldest)->phase != Phase::waiting) return;
    (*oldest)->close();
    connections_.erase(oldest);
  }

  net::Task<void> serve([[maybe_unused]] std::shared_ptr<Impl> self, ConnectionPointer connection) {
    co_await connection->serve();
    std::erase(connections_, connection);
  }

  const std::shared_ptr<Serving> serving_;
  const std::string path_;  // of the Unix socket, else empty
  asio::io_context& context_;
  Acceptor acceptor_;
  asio::steady_timer pause_;  // of the accepting
  std::vector<ConnectionPointer> connections_;
};

Server::Server(asio::io_context& context, const AdminOptions& options, const ServerSources& sources,
               const ServerLimits& limits)
    : impl_(std::make_shared<Impl>(context, options, sources, limits)) {
  impl_->start();
}

Server::~Server() { stop(); }

std::uint16_t Server::port() const { return impl_->port(); }
void Server::stop() { impl_->stop(); }

}  // namespace chipgate::admin
