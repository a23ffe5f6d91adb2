// Posting over HTTP and HTTPS, by Beast.
#include "webhook_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <openssl/ssl.h>

namespace chipgate::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Message = http::request<http::string_body>;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

constexpr auto as_result = asio::as_tuple(net::use_task);
// What a receiver has to say is not read further.
constexpr std::uint64_t largest_answer = 64 * 1024;

// Shared with the resolver's thread, which may answer after nobody waits any more.
struct Lookup {
  explicit Lookup(asio::io_context& control) : bell(control) {}
  asio::steady_timer bell;
  std::optional<net::Resolver::Answer> answer{};
};

// To the first of the addresses that accepts; the stream's deadline bounds all of it.
net::Task<boost::system::error_code> connect_any(beast::tcp_stream& stream, std::vector<IpAddress> addresses,
                                                 std::uint16_t port) {
  boost::system::error_code failure = asio::error::host_not_found;
  for (const auto& address : addresses) {
    const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address.text()), port);
    const auto [error] = co_await stream.async_connect(endpoint, as_result);
    failure = error;
    if (!error || error == beast::error::timeout) break;
  }
  co_return failure;
}

template <class AnyStream>
net::Task<Posted> post_over(AnyStream& stream, const Message& message) {
  const auto [unsent, written] = co_await http::async_write(stream, message, as_result);
  if (unsent) co_return Posted{.trouble = "sending: " + unsent.message()};
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(largest_answer);
  const auto [unread, size] = co_await http::async_read_header(stream, buffer, parser, as_result);
  if (unread) co_return Posted{.trouble = "reading the answer: " + unread.message()};
  co_return Posted{.status = parser.get().result_int()};
}

net::Task<Posted> post_by_tls(beast::tcp_stream tcp, asio::ssl::context& context, std::string host,
                              const Message& message) {
  TlsStream stream(std::move(tcp), context);
  stream.set_verify_callback(asio::ssl::host_name_verification(host));
  if (!IpAddress::parse(host)) ::SSL_set_tlsext_host_name(stream.native_handle(), host.c_str());
  const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_result);
  if (error) co_return Posted{.trouble = "the TLS handshake: " + error.message()};
  co_return co_await post_over(stream, message);
}

std::unique_ptr<asio::ssl::context> tls_for(const WebhookUrl& url) {
  if (url.scheme == WebhookUrl::Scheme::http) return nullptr;
  auto made = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  made->set_default_verify_paths();
  made->set_verify_mode(asio::ssl::verify_peer);
  return made;
}

std::string host_field(const WebhookUrl& url) {
  const bool usual = url.port == (url.scheme == WebhookUrl::Scheme::https ? 443 : 80);
  const auto host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  return usual ? host : host + ":" + std::to_string(url.port);
}

}  // namespace

WebhookClient::WebhookClient(asio::io_context& control, WebhookUrl url, net::Resolver& resolver)
    : control_(control), url_(std::move(url)), resolver_(resolver), tls_(tls_for(url_)) {}

WebhookClient::~WebhookClient() = default;

net::Task<Posted> WebhookClient::post(std::string body, Fields fields, Milliseconds within) {
  const auto until = Clock::now() + within;
  const auto resolved = co_await resolve(within);
  if (resolved.has_error()) co_return Posted{.trouble = "the name does not resolve: " + resolved.error().detail};
  beast::tcp_stream stream(control_);
  stream.expires_at(until);
  const auto error = co_await connect_any(stream, *resolved, url_.port);
  if (error) co_return Posted{.trouble = "connecting: " + error.message()};
  Message message(http::verb::post, url_.path, 11, std::move(body));
  message.set(http::field::host, host_field(url_));
  message.set(http::field::user_agent, "chipgate/" CHIPGATE_VERSION);
  message.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : fields) message.set(name, value);
  message.keep_alive(false);
  message.prepare_payload();
  if (tls_) co_return co_await post_by_tls(std::move(stream), *tls_, url_.host, message);
  co_return co_await post_over(stream, message);
}

net::Task<net::Resolver::Answer> WebhookClient::resolve(Milliseconds within) {
  const auto lookup = std::make_shared<Lookup>(control_);
  lookup->bell.expires_after(within);
  resolver_.resolve(url_.host, [lookup, &control = control_](net::Resolver::Answer answer) {
    asio::post(control, [lookup, answer = std::move(answer)]() mutable {
      lookup->answer = std::move(answer);
      lookup->bell.cancel();
    });
  });
  co_await lookup->bell.async_wait(as_result);
  if (lookup->answer) co_return *lookup->answer;
  co_return Error{ErrorKind::gateway_unresolved, url_.host + ": no answer in time"};
}

}  // namespace chipgate::admin
