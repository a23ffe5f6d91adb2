// A blocking HTTP client for tests, which also sees how a connection ends.
#pragma once

#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstdint>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>

namespace chipgate::admin {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using HttpResponse = http::response<http::string_body>;

// A blocking client; what does not come within 10 s fails the test instead of hanging it.
class Client {
 public:
  explicit Client(std::uint16_t port) : Client(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port)) {}
  // Of a Unix socket.
  explicit Client(const std::string& path) : Client(asio::local::stream_protocol::endpoint(path)) {}
  explicit Client(const asio::generic::stream_protocol::endpoint& endpoint) {
    socket_.connect(endpoint);
    const timeval patience{10, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }

  Client& send(std::string_view text) {
    boost::system::error_code ignored;
    asio::write(socket_, asio::buffer(text), ignored);
    return *this;
  }

  HttpResponse read() { return read(http::verb::get); }
  HttpResponse read(http::verb asked) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    parser.skip(asked == http::verb::head);
    boost::system::error_code error;
    http::read(socket_, buffer_, parser, error);
    EXPECT_FALSE(error) << error.message();
    return parser.release();
  }

  // Up to where it ends; what came behind it is kept for the next of these.
  std::string read_until(std::string_view wanted) {
    std::array<char, 4096> piece{};
    boost::system::error_code error;
    while (!error && rest_.find(wanted) == std::string::npos) {
      rest_.append(piece.data(), socket_.read_some(asio::buffer(piece), error));
    }
    EXPECT_FALSE(error) << error.message() << rest_;
    const auto found = rest_.find(wanted);
    auto text = rest_.substr(0, found == std::string::npos ? found : found + wanted.size());
    rest_.erase(0, text.size());
    return text;
  }

  // Whatever comes until the server closes; a timeout or a reset is not a close.
  std::string read_to_end() {
    auto text = std::exchange(rest_, {});
    std::array<char, 4096> piece{};
    boost::system::error_code error;
    while (!error) text.append(piece.data(), socket_.read_some(asio::buffer(piece), error));
    EXPECT_EQ(error, asio::error::eof) << error.message();
    return text;
  }

 private:
  asio::io_context context_;
  asio::generic::stream_protocol::socket socket_{context_};
  boost::beast::flat_buffer buffer_;
  std::string rest_;
};

}  // namespace chipgate::admin
