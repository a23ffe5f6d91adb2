// A blocking client of the control port.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/base/secret.hpp"

#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace chipgate::cli {

// Ends a command: what it was told and the exit code that says so.
class Failed : public std::runtime_error {
 public:
  Failed(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

// Where the control port is: a host and a port, or a Unix socket.
struct AdminAddress {
  std::string host{"127.0.0.1"};
  std::uint16_t port = 9310;
  std::string unix_socket{};

  // "http://127.0.0.1:9310", "127.0.0.1:9310", "unix:/run/chipgate.sock". Throws Failed.
  static AdminAddress parse(std::string_view text);
  std::string text() const;
};

struct Target {
  AdminAddress address{};
  Secret token{};
};

struct Answer {
  unsigned status = 0;
  std::string body{};
  std::string next_cursor{};  // of a CSV page

  // Throws Failed where the body is not JSON.
  boost::json::value json() const;
};

// "%2F" and the like: for a path's segment or a query's value.
std::string encoded(std::string_view text);

// One connection, opened at the first request and again where the server closed it. One thread.
class Client {
 public:
  explicit Client(Target target, Milliseconds patience = Milliseconds(150'000));
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Throws Failed where no chipgate answers, or the token is not taken.
  Answer ask(std::string_view method, const std::string& path, const std::string& body = {});
  // As above, and throws Failed with chipgate's own words for every status from 400.
  boost::json::value get(const std::string& path);

  // Calls back with each block of an event stream, until it ends or `on_block` answers false.
  void follow(const std::string& path, const std::function<bool(std::string_view)>& on_block);

 private:
  class Wire;
  Wire& wire();

  const Target target_;
  const Milliseconds patience_;
  std::unique_ptr<Wire> wire_;
};

// "port_taken: the port 20001 belongs to beta (port)"
std::string refusal_of(const Answer& answer);

}  // namespace chipgate::cli
