// Requests over a plain socket; Beast writes and reads the messages.
#include "client.hpp"

#include "chipgate/base/address.hpp"
#include "chipgate/cli/commands.hpp"
#include "chipgate/net/unique_fd.hpp"
#include "chipgate/protocol/authority.hpp"
#include "dial.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>
#include <cerrno>
#include <sys/socket.h>

namespace chipgate::cli {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;

// What Beast calls a synchronous stream, over a descriptor whose kernel timeouts bound every wait.
class Socket {
 public:
  explicit Socket(net::UniqueFd fd) : fd_(std::move(fd)) {}

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, boost::system::error_code& error) {
    const boost::asio::mutable_buffer buffer = *boost::asio::buffer_sequence_begin(buffers);
    const auto got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) return static_cast<std::size_t>(got);
    error = got == 0 ? boost::asio::error::make_error_code(boost::asio::error::eof) : last_error();
    return 0;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, boost::system::error_code& error) {
    for (auto at = boost::asio::buffer_sequence_begin(buffers); at != boost::asio::buffer_sequence_end(buffers); ++at) {
      const boost::asio::const_buffer buffer = *at;
      if (buffer.size() == 0) continue;
      const auto sent = ::send(fd_.get(), buffer.data(), buffer.size(), MSG_NOSIGNAL);
      if (sent >= 0) return static_cast<std::size_t>(sent);
      error = last_error();
      return 0;
    }
    return 0;
  }
  // Beast asks for the throwing forms too, and calls none of them here.
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    return checked([&](auto& error) { return read_some(buffers, error); });
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    return checked([&](auto& error) { return write_some(buffers, error); });
  }

 private:
  template <class Work>
  static std::size_t checked(Work work) {
    boost::system::error_code error;
    const auto size = work(error);
    if (error) throw boost::system::system_error(error);
    return size;
  }
  static boost::system::error_code last_error() {
    if (errno == EAGAIN || errno == EWOULDBLOCK)
      return boost::asio::error::make_error_code(boost::asio::error::timed_out);
    return {errno, boost::system::system_category()};
  }

  net::UniqueFd fd_;
};

}  // namespace

class Client::Wire {
 public:
  Wire(const Target& target, Milliseconds patience) : target_(target), socket_(dial(target.address, patience)) {}

  bool used() const { return used_; }

  boost::system::error_code send(std::string_view method, const std::string& path, const std::string& body,
                                 std::string_view accept) {
    http::request<http::string_body> request;
    request.method_string({method.data(), method.size()});
    request.target(path);
    request.version(11);
    request.set(http::field::host, "localhost");
    request.set(http::field::authorization, "Bearer " + std::string(target_.token.reveal()));
    request.set(http::field::accept, {accept.data(), accept.size()});
    if (!body.empty()) request.set(http::field::content_type, "application/json");
    request.body() = body;
    request.prepare_payload();
    boost::system::error_code error;
    http::write(socket_, request, error);
    return error;
  }

  boost::system::error_code receive(Answer& answer) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    boost::system::error_code error;
    http::read(socket_, buffer_, parser, error);
    used_ = true;
    closed_ = error || !parser.get().keep_alive();
    answer.status = parser.get().result_int();
    answer.next_cursor = std::string(parser.get()["Chipgate-Next-Cursor"]);
    answer.body = std::move(parser.get().body());
    return error;
  }

  bool closed() const { return closed_; }

  // A stream's blocks, each ended by an empty line.
  Answer receive_blocks(const std::function<bool(std::string_view)>& on_block) {
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    boost::system::error_code error;
    http::read_header(socket_, buffer_, parser, error);
    Answer answer{.status = parser.get().result_int()};
    std::string text;
    std::array<char, 8192> piece{};
    while (!error && !parser.is_done()) {
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      http::read_some(socket_, buffer_, parser, error);
      if (error == http::error::need_buffer) error = {};
      text.append(piece.data(), piece.size() - parser.get().body().size);
      if (answer.status != 200) continue;
      for (auto end = text.find("\n\n"); end != std::string::npos; end = text.find("\n\n")) {
        const auto block = text.substr(0, end);
        text.erase(0, end + 2);
        const bool more = on_block(block);
        if (!more) return answer;
      }
    }
    answer.body = std::move(text);
    return answer;
  }

 private:
  const Target& target_;
  Socket socket_;
  beast::flat_buffer buffer_;
  bool used_ = false;
  bool closed_ = false;
};

Client::Client(Target target, Milliseconds patience) : target_(std::move(target)), patience_(patience) {}
Client::~Client() = default;

Client::Wire& Client::wire() {
  if (!wire_ || wire_->closed()) wire_ = std::make_unique<Wire>(target_, patience_);
  return *wire_;
}

Answer Client::ask(std::string_view method, const std::string& path, const std::string& body) {
  Answer answer;
  // What must not happen twice is never sent on a connection that may be closing.
  if (method == "POST") wire_.reset();
  const bool again = wire().used();
  auto error = wire_->send(method, path, body, "application/json");
  if (!error) error = wire_->receive(answer);
  if (error && again && error != boost::asio::error::timed_out) {
    // A kept connection that the server closed meanwhile. The other methods may be repeated.
    wire_.reset();
    error = wire().send(method, path, body, "application/json");
    if (!error) error = wire_->receive(answer);
  }
  if (error) {
    wire_.reset();
    throw Failed(exit_unavailable, "chipgate at " + target_.address.text() + " does not answer: " + error.message());
  }
  if (answer.status == 401) throw Failed(exit_no_token, "chipgate does not take the token: " + refusal_of(answer));
  return answer;
}

json::value Client::get(const std::string& path) {
  const auto answer = ask("GET", path);
  if (answer.status >= 400) throw Failed(exit_refused, refusal_of(answer));
  return answer.json();
}

void Client::follow(const std::string& path, const std::function<bool(std::string_view)>& on_block) {
  wire_ = std::make_unique<Wire>(target_, patience_);
  const auto error = wire_->send("GET", path, {}, "text/event-stream");
  if (error) throw Failed(exit_unavailable, "chipgate does not answer: " + error.message());
  const auto answer = wire_->receive_blocks(on_block);
  wire_.reset();
  if (answer.status == 401) throw Failed(exit_no_token, "chipgate does not take the token: " + refusal_of(answer));
  if (answer.status >= 400) throw Failed(exit_refused, refusal_of(answer));
}

json::value Answer::json() const {
  boost::system::error_code error;
  auto parsed = json::parse(body, error);
  if (error) throw Failed(exit_unavailable, "the answer is not chipgate's: " + error.message());
  return parsed;
}

std::string refusal_of(const Answer& answer) {
  boost::system::error_code error;
  const auto parsed = json::parse(answer.body, error);
  const auto* const told = error || !parsed.is_object() ? nullptr : parsed.get_object().if_contains("error");
  if (told == nullptr || !told->is_object()) return "status " + std::to_string(answer.status);
  const auto text = [&](std::string_view key) {
    const auto* const found = told->get_object().if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  auto said = text("code") + ": " + text("message");
  if (const auto field = text("field"); !field.empty()) said += " (" + field + ")";
  return said;
}

std::string encoded(std::string_view text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string made;
  for (const char c : text) {
    if (plain.find(c) != std::string_view::npos) {
      made += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    made += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return made;
}

}  // namespace chipgate::cli
