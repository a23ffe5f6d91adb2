// Reading requests and having them answered.
#include "connection.hpp"

#include "chipgate/telemetry/log.hpp"
#include "wire.hpp"

#include <array>
#include <boost/asio/write.hpp>

namespace chipgate::admin {
namespace {

constexpr std::uint32_t largest_head = 16 * 1024;
// Room for a head and what is pipelined behind it.
constexpr std::size_t largest_buffer = 2 * largest_head;
constexpr std::uint64_t largest_body = 64 * 1024;
// What a refused client may still send while it reads its answer; a close with unread bytes would reset it away.
constexpr std::size_t largest_rest = 64 * 1024;
constexpr Milliseconds rest_timeout{1'000};

using Parser = http::request_parser<http::string_body>;

bool has_body(const Parser& parser) { return parser.chunked() || parser.content_length().value_or(0) > 0; }

Asking asking_of(const Parser& parser) { return {parser.get().version(), parser.get().method() == http::verb::head}; }

// The answer to a head that Beast rejects, or nothing where the client has gone or its connection failed.
std::optional<Response> answer_to(const boost::system::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return error_response(431, "head_too_large", "the request head is larger than 16 KiB");
  }
  if (error == http::error::body_limit) {
    return error_response(413, "body_too_large", "the body is larger than 64 KiB");
  }
  const bool ended = error == http::error::end_of_stream || error == http::error::partial_message;
  if (ended || error.category() != make_error_code(http::error::bad_method).category()) return std::nullopt;
  return error_response(400, "malformed_request", "the request is not HTTP/1.x");
}

// What of a body can be refused by its head.
std::optional<Response> refuse_body(const Route& route, const Parser& parser) {
  if (!has_body(parser)) return std::nullopt;
  if (route.body == Body::none) return error_response(400, "unexpected_body", "this request takes no body");
  if (parser.content_length().value_or(0) > largest_body) return answer_to(http::error::body_limit);
  std::string_view type = parser.get()[http::field::content_type];
  type = type.substr(0, type.find(';'));
  if (beast::iequals(type, "application/json")) return std::nullopt;
  return error_response(415, "not_json", "send the body as Content-Type: application/json");
}

class HttpConnection final : public Connection {
 public:
  HttpConnection(asio::generic::stream_protocol::socket socket, Arrival arrival, std::shared_ptr<Serving> serving)
      : stream_(std::move(socket)), arrival_(arrival), serving_(std::move(serving)) {}

  void close() override { stream_.close(); }

  net::Task<void> serve() override {
    auto patience = serving_->limits.head_timeout;
    auto after = AfterAnswer::keep;
    while (after == AfterAnswer::keep && !serving_->stopped) {
      phase = Phase::waiting;
      waiting_since = Clock::now();
      after = co_await serve_one(patience);
      patience = serving_->limits.keep_alive;
    }
    stream_.close();
  }

 private:
  net::Task<AfterAnswer> serve_one(Milliseconds patience) {
    const bool begun = co_await await_request(patience);
    if (!begun) co_return AfterAnswer::close;
    Parser parser;
    parser.header_limit(largest_head);
    parser.body_limit(boost::none);  // judged once the route is known
    stream_.expires_after(serving_->limits.head_timeout);
    const auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, as_result);
    if (serving_->stopped) co_return AfterAnswer::close;
    phase = Phase::answering;
    if (error) {
      co_await refuse(answer_to(error), parser);
      co_return AfterAnswer::close;
    }
    co_return co_await answer(parser);
  }

  net::Task<bool> await_request(Milliseconds patience) {
    if (buffer_.size() > 0) co_return true;
    stream_.expires_after(patience);
    const auto space = buffer_.prepare(largest_head);
    const auto [error, size] = co_await stream_.async_read_some(space, as_result);
    buffer_.commit(size);
    co_return !error;
  }

  Request request_of(const Parser& parser) {
    const auto& message = parser.get();
    Request request;
    request.version = message.version() >= 11 ? HttpVersion::http_1_1 : HttpVersion::http_1_0;
    request.method = message.method_string();
    request.target = message.target();
    request.arrival = arrival_;
    if (arrival_ == Arrival::tcp) request.local = local_address(stream_.socket().native_handle()).ip;
    request.authorization = message[http::field::authorization];
    request.accept = message[http::field::accept];
    request.content_type = message[http::field::content_type];
    request.last_event_id = message["Last-Event-ID"];
    const auto [first, last] = message.equal_range(http::field::host);
    for (auto field = first; field != last; ++field) request.hosts.push_back(field->value());
    return request;
  }

  net::Task<AfterAnswer> answer(Parser& parser) {
    auto decided = serving_->router.admit(request_of(parser));
    auto* const admitted = std::get_if<Admitted>(&decided);
    auto refusal = admitted == nullptr ? std::optional(std::get<Response>(std::move(decided)))
                                       : refuse_body(*admitted->route, parser);
    if (refusal) {
      log(parser, refusal->status);
      if (has_body(parser)) {
        co_await refuse(std::move(refusal), parser);
        co_return AfterAnswer::close;
      }
      co_return co_await write_fixed(stream_, *serving_, *refusal, asking_of(parser), after(parser));
    }
    const bool whole = co_await read_body(parser);
    // Half a body is never acted on.
    if (!whole) co_return AfterAnswer::close;
    admitted->call.body = std::move(parser.get().body());
    // From here the action goes on to its end, whatever becomes of the client.
    stream_.expires_never();
    const auto response = co_await serving_->router.answer(*admitted->route, std::move(admitted->call));
    if (serving_->stopped) co_return AfterAnswer::close;
    log(parser, response.status);
    co_return co_await write(response, parser);
  }

  net::Task<AfterAnswer> write(const Response& response, const Parser& parser) {
    switch (response.content) {
      case Content::fixed:
        co_return co_await write_fixed(stream_, *serving_, response, asking_of(parser), after(parser));
      case Content::metrics:
        co_return co_await write_metrics(stream_, *serving_, response, asking_of(parser), after(parser));
      case Content::events: co_await write_events(stream_, *serving_, response, asking_of(parser)); break;
    }
    co_return AfterAnswer::close;
  }

  net::Task<bool> read_body(Parser& parser) {
    if (!has_body(parser)) co_return true;
    stream_.expires_after(serving_->limits.head_timeout);
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      const auto [error, size] = co_await asio::async_write(stream_, asio::buffer(go_on), as_result);
      if (error) co_return false;
    }
    parser.body_limit(largest_body);
    const auto [error, size] = co_await http::async_read(stream_, buffer_, parser, as_result);
    if (serving_->stopped) co_return false;
    if (error) co_await refuse(answer_to(error), parser);
    co_return !error;
  }

  AfterAnswer after(const Parser& parser) const { return parser.keep_alive() ? AfterAnswer::keep : AfterAnswer::close; }

  // Says why, and lets the client read it.
  net::Task<void> refuse(std::optional<Response> refusal, const Parser& parser) {
    if (!refusal) co_return;
    co_await write_fixed(stream_, *serving_, *refusal, asking_of(parser), AfterAnswer::close);
    co_await drop_rest();
  }

  net::Task<void> drop_rest() {
    boost::system::error_code failure;
    stream_.socket().shutdown(asio::socket_base::shutdown_send, failure);
    buffer_.clear();
    stream_.expires_after(rest_timeout);
    for (std::size_t dropped = 0; !failure && dropped < largest_rest;) {
      const auto space = buffer_.prepare(largest_head);
      const auto [error, size] = co_await stream_.async_read_some(space, as_result);
      failure = error;
      dropped += size;
    }
  }

  // The path only: a query may hold what is nobody's business.
  void log(const Parser& parser, unsigned status) {
    const std::string_view target = parser.get().target();
    serving_->sources.log.debug("admin_request", {{"method", std::string_view(parser.get().method_string())},
                                                  {"path", target.substr(0, target.find('?'))},
                                                  {"status", status}});
  }

  Stream stream_;
  const Arrival arrival_;
  const std::shared_ptr<Serving> serving_;
  beast::flat_buffer buffer_{largest_buffer};
};

}  // namespace

ConnectionPointer open_connection(asio::generic::stream_protocol::socket socket, Arrival arrival,
                                  std::shared_ptr<Serving> serving) {
  return std::make_shared<HttpConnection>(std::move(socket), arrival, std::move(serving));
}

}  // namespace chipgate::admin
