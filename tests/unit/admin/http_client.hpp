// A blocking HTTP client for tests, which also sees how a connection ends.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
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
  explicit Client(std::uint16_t port) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
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

  // Whatever comes until the server closes; a timeout or a reset is not a close.
  std::string read_to_end() {
    std::string text;
    std::array<char, 4096> piece{};
    boost::system::error_code error;
    while (!error) text.append(piece.data(), socket_.read_some(asio::buffer(piece), error));
    EXPECT_EQ(error, asio::error::eof) << error.message();
    return text;
  }

 private:
  asio::io_context context_;
  asio::ip::tcp::socket socket_{context_};
  boost::beast::flat_buffer buffer_;
};

}  // namespace chipgate::admin
