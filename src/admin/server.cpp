// HTTP/1.x for a few clients at a time, by Beast; this is the only source that includes it.
#include "chipgate/admin/server.hpp"

#include "chipgate/admin/routes.hpp"
#include "chipgate/telemetry/exposition.hpp"
#include "chipgate/telemetry/log.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <vector>

namespace chipgate::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

constexpr std::uint32_t largest_head = 16 * 1024;
// Room for a head and what is pipelined behind it.
constexpr std::size_t largest_buffer = 2 * largest_head;
// What a refused client may still send while it reads its answer; a close with unread bytes would reset it away.
constexpr std::size_t largest_rest = 64 * 1024;
constexpr Milliseconds rest_timeout{1'000};
// After EMFILE and the like: soon enough for a scraper, and no spinning.
constexpr Milliseconds accept_pause{100};

// A connection that waits for a request (or for the rest of its head) may be closed for a new one.
enum class Phase : std::uint8_t { waiting, answering };
enum class Framing : std::uint8_t { chunks, until_close };
enum class AfterAnswer : std::uint8_t { keep, close };

struct Connection {
  explicit Connection(tcp::socket socket) : stream(std::move(socket)) {}

  beast::tcp_stream stream;
  beast::flat_buffer buffer{largest_buffer};
  Phase phase = Phase::waiting;
  TimePoint waiting_since = Clock::now();
};

using ConnectionPointer = std::shared_ptr<Connection>;
using Parser = http::request_parser<http::empty_body>;

Request request_of(const Parser& parser, const IpAddress& local) {
  const auto& message = parser.get();
  Request request;
  request.version = message.version() >= 11 ? HttpVersion::http_1_1 : HttpVersion::http_1_0;
  request.method = message.method_string();
  request.target = message.target();
  request.local = local;
  const auto [first, last] = message.equal_range(http::field::host);
  for (auto field = first; field != last; ++field) request.hosts.push_back(field->value());
  return request;
}

bool has_body(const Parser& parser) { return parser.chunked() || parser.content_length().value_or(0) > 0; }

http::fields fields_of(const Response& response) {
  http::fields fields;
  fields.set(http::field::content_type, response.content_type);
  fields.set(http::field::cache_control, "no-store");
  if (!response.allow.empty()) fields.set(http::field::allow, response.allow);
  return fields;
}

// The answer to a head that Beast rejects, or nothing where the client has gone or its connection failed.
std::optional<Response> answer_to(const boost::system::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return error_response(431, "head_too_large", "the request head is larger than 16 KiB");
  }
  const bool ended = error == http::error::end_of_stream || error == http::error::partial_message;
  if (ended || error.category() != make_error_code(http::error::bad_method).category()) return std::nullopt;
  return error_response(400, "malformed_request", "the request is not HTTP/1.x");
}

}  // namespace

// Shared with the coroutines: they may be resumed once more after the server is gone, and then find it stopped.
class Server::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, const AdminOptions& options, const ServerSources& sources, const ServerLimits& limits)
      : sources_(sources),
        limits_(limits),
        routes_(options.hosts, sources.readiness),
        acceptor_(context, {asio::ip::make_address(options.listen.ip.text()), options.listen.port}),
        pause_(context) {}

  void start() { spawn(accept_all(shared_from_this())); }

  std::uint16_t port() const { return port_; }

  void stop() {
    stopped_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    for (const auto& connection : std::exchange(connections_, {})) connection->stream.close();
  }

 private:
  // An exception that leaves a coroutine is a bug, and ends the process by leaving the io_context.
  void spawn(asio::awaitable<void> task) {
    asio::co_spawn(acceptor_.get_executor(), std::move(task), [](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
    });
  }

  asio::awaitable<void> accept_all([[maybe_unused]] std::shared_ptr<Impl> self) {
    while (!stopped_) {
      auto [error, socket] = co_await acceptor_.async_accept(as_result);
      if (stopped_) co_return;
      if (!error) {
        admit(std::move(socket));
        continue;
      }
      sources_.log.warn("admin_accept_failed", {{"reason", error.message()}});
      pause_.expires_after(accept_pause);
      co_await pause_.async_wait(as_result);
    }
  }

  void admit(tcp::socket socket) {
    if (connections_.size() >= limits_.connections) close_oldest_waiting();
    // All of them are being answered: the newcomer has to come again.
    if (connections_.size() >= limits_.connections) return;
    const auto connection = std::make_shared<Connection>(std::move(socket));
    connections_.push_back(connection);
    spawn(serve(shared_from_this(), connection));
  }

  void close_oldest_waiting() {
    const auto rank = [](const auto& connection) { return std::pair(connection->phase, connection->waiting_since); };
    const auto oldest = std::ranges::min_element(connections_, {}, rank);
    if (oldest == connections_.end() || (*oldest)->phase != Phase::waiting) return;
    (*oldest)->stream.close();
    connections_.erase(oldest);
  }

  asio::awaitable<void> serve([[maybe_unused]] std::shared_ptr<Impl> self, ConnectionPointer connection) {
    auto patience = limits_.head_timeout;
    auto after = AfterAnswer::keep;
    while (after == AfterAnswer::keep && !stopped_) {
      connection->phase = Phase::waiting;
      connection->waiting_since = Clock::now();
      after = co_await serve_one(*connection, patience);
      patience = limits_.keep_alive;
    }
    connection->stream.close();
    std::erase(connections_, connection);
  }

  asio::awaitable<AfterAnswer> serve_one(Connection& connection, Milliseconds patience) {
    const bool begun = co_await await_request(connection, patience);
    if (!begun) co_return AfterAnswer::close;
    Parser parser;
    parser.header_limit(largest_head);
    parser.body_limit(boost::none);  // bodies are not read
    connection.stream.expires_after(limits_.head_timeout);
    const auto [error, size] =
        co_await http::async_read_header(connection.stream, connection.buffer, parser, as_result);
    if (stopped_) co_return AfterAnswer::close;
    connection.phase = Phase::answering;
    if (error) {
      if (const auto refusal = answer_to(error)) {
        co_await write_fixed(connection, *refusal, parser.get(), AfterAnswer::close);
        co_await drop_rest(connection);
      }
      co_return AfterAnswer::close;
    }
    co_return co_await answer(connection, parser);
  }

  asio::awaitable<bool> await_request(Connection& connection, Milliseconds patience) {
    if (connection.buffer.size() > 0) co_return true;
    connection.stream.expires_after(patience);
    const auto space = connection.buffer.prepare(largest_head);
    const auto [error, size] = co_await connection.stream.async_read_some(space, as_result);
    connection.buffer.commit(size);
    co_return !error;
  }

  asio::awaitable<AfterAnswer> answer(Connection& connection, const Parser& parser) {
    const auto& message = parser.get();
    const auto local = local_address(connection.stream.socket().native_handle()).ip;
    const auto response = routes_.answer(request_of(parser, local));
    sources_.log.debug("admin_request", {{"method", std::string_view(message.method_string())},
                                         {"target", std::string_view(message.target())},
                                         {"status", response.status}});
    const bool keep = parser.keep_alive() && !has_body(parser);
    const auto after = keep ? AfterAnswer::keep : AfterAnswer::close;
    if (response.content == Content::metrics) co_return co_await write_metrics(connection, response, message, after);
    const auto written = co_await write_fixed(connection, response, message, after);
    if (has_body(parser)) co_await drop_rest(connection);
    co_return written;
  }

  // An error while writing always means that the connection is of no more use.
  asio::awaitable<AfterAnswer> write_fixed(Connection& connection, const Response& response,
                                           const http::request_header<>& request, AfterAnswer after) {
    http::response<http::string_body> message(http::response_header<>(fields_of(response)), response.body);
    message.result(response.status);
    message.keep_alive(after == AfterAnswer::keep);
    message.prepare_payload();
    http::response_serializer<http::string_body> serializer(message);
    connection.stream.expires_after(limits_.write_timeout);
    const auto [error, size] = request.method() == http::verb::head
                                   ? co_await http::async_write_header(connection.stream, serializer, as_result)
                                   : co_await http::async_write(connection.stream, serializer, as_result);
    co_return error ? AfterAnswer::close : after;
  }

  // HTTP/1.0 knows no chunks: there the end of the connection ends the body.
  asio::awaitable<AfterAnswer> write_metrics(Connection& connection, const Response& response,
                                             const http::request_header<>& request, AfterAnswer after) {
    const auto framing = request.version() >= 11 ? Framing::chunks : Framing::until_close;
    if (framing == Framing::until_close) after = AfterAnswer::close;
    http::response<http::empty_body> message(http::response_header<>(fields_of(response)));
    message.chunked(framing == Framing::chunks);
    message.keep_alive(after == AfterAnswer::keep);
    http::response_serializer<http::empty_body> serializer(message);
    connection.stream.expires_after(limits_.write_timeout);
    const auto [error, size] = co_await http::async_write_header(connection.stream, serializer, as_result);
    if (error) co_return AfterAnswer::close;
    if (request.method() == http::verb::head) co_return after;
    const bool whole = co_await write_families(connection, framing);
    co_return whole ? after : AfterAnswer::close;
  }

  asio::awaitable<bool> write_families(Connection& connection, Framing framing) {
    for (std::size_t family = 0; family < sources_.exposition.family_count(); ++family) {
      // Whatever else the control thread has to do goes between two families.
      co_await asio::post(acceptor_.get_executor(), asio::use_awaitable);
      if (stopped_) co_return false;
      const auto text = sources_.exposition.render(family);
      if (text.empty()) continue;  // an empty chunk would end the body
      connection.stream.expires_after(limits_.write_timeout);
      const auto [error, size] =
          framing == Framing::chunks
              ? co_await asio::async_write(connection.stream, http::make_chunk(asio::buffer(text)), as_result)
              : co_await asio::async_write(connection.stream, asio::buffer(text), as_result);
      if (error) co_return false;
    }
    if (framing == Framing::until_close) co_return true;
    const auto [error, size] = co_await asio::async_write(connection.stream, http::make_chunk_last(), as_result);
    co_return !error;
  }

  asio::awaitable<void> drop_rest(Connection& connection) {
    boost::system::error_code failure;
    connection.stream.socket().shutdown(tcp::socket::shutdown_send, failure);
    connection.buffer.clear();
    connection.stream.expires_after(rest_timeout);
    for (std::size_t dropped = 0; !failure && dropped < largest_rest;) {
      const auto space = connection.buffer.prepare(largest_head);
      const auto [error, size] = co_await connection.stream.async_read_some(space, as_result);
      failure = error;
      dropped += size;
    }
  }

  const ServerSources sources_;
  const ServerLimits limits_;
  const Routes routes_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;  // of the accepting
  const std::uint16_t port_ = acceptor_.local_endpoint().port();
  std::vector<ConnectionPointer> connections_;
  bool stopped_ = false;
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
