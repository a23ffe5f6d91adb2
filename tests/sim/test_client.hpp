// A blocking client of the simulated provider, for its tests. Every wait has a limit.
#pragma once

#include "chipgate/net/unique_fd.hpp"
#include "sim/simulator.hpp"

#include <memory>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace chipgate::sim::test {

enum class StreamEnd { fin, reset, limit };

struct Heard {
  std::string bytes;
  StreamEnd end = StreamEnd::limit;
};

class Client {
 public:
  // Throws std::system_error where nobody listens.
  explicit Client(const SocketAddress& to);
  ~Client();
  Client(Client&&) noexcept;

  // false: the certificate was refused, or the peer is no TLS server.
  bool start_tls(const std::string& server_name, const std::string& ca_pem);

  void say(std::string_view text);
  void end_writing();
  void close_with_reset();
  // What comes until `text` is in it; all that came, where the stream ended before.
  std::string hear_until(std::string_view text);
  std::string hear_exactly(std::size_t bytes);
  Heard hear_to_end(Milliseconds limit = std::chrono::seconds(5));
  // What one read gives.
  std::string hear_once();
  // In how many segments all came so far, however few reads it took.
  unsigned segments() const;

 private:
  struct Piece {
    std::string bytes;
    StreamEnd end = StreamEnd::limit;
  };
  Piece read_piece(std::size_t most);

  struct FreeSsl {
    void operator()(ssl_st*) const;
  };
  struct FreeContext {
    void operator()(ssl_ctx_st*) const;
  };

  net::UniqueFd fd_;
  std::unique_ptr<ssl_ctx_st, FreeContext> context_;
  std::unique_ptr<ssl_st, FreeSsl> ssl_;
};

std::string credentials(std::string_view session, std::string_view password = "pass");
// CONNECT with the session's credentials.
std::string connect_request(std::string_view target, std::string_view session);

// Through CONNECT, or a test failure.
Client open_tunnel(const Simulator& simulator, std::string_view target, std::string_view session);
// Through SOCKS5; REP.
unsigned open_socks(Client& client, std::string_view host, std::uint16_t port, std::string_view session);
// The exit-IP page through a tunnel of the session.
std::string exit_of(const Simulator& simulator, std::string_view session);
// One request to the control API: its status and body.
struct ApiResult {
  unsigned status;
  std::string body;
};
ApiResult call_api(const Simulator& simulator, std::string_view method, std::string_view path,
                   std::string_view body = "");

}  // namespace chipgate::sim::test
