// Blocking sockets with a receive limit, and TLS on top.
#include "sim/test_client.hpp"

#include "chipgate/protocol/basic.hpp"
#include "chipgate/protocol/socks.hpp"
#include "sim/segments.hpp"

#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <system_error>

namespace chipgate::sim::test {
namespace {

// Long enough for a sanitizer on a busy machine; only a failing test waits for it.
constexpr Milliseconds default_limit{5000};

void set_limit(int fd, Milliseconds limit) {
  const timeval time{limit.count() / 1000, limit.count() % 1000 * 1000};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
}

}  // namespace

void Client::FreeSsl::operator()(ssl_st* ssl) const { SSL_free(ssl); }
void Client::FreeContext::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Client::Client(const SocketAddress& to) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  set_limit(fd_.get(), default_limit);
  const KernelAddress kernel(to);
  if (::connect(fd_.get(), kernel.get(), kernel.length) != 0) {
    throw std::system_error(errno, std::generic_category(), "connect");
  }
}

Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

bool Client::start_tls(const std::string& server_name, const std::string& ca_pem) {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(context_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  BIO* memory = BIO_new_mem_buf(ca_pem.data(), static_cast<int>(ca_pem.size()));
  X509* authority = PEM_read_bio_X509(memory, nullptr, nullptr, nullptr);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority);
  X509_free(authority);
  BIO_free(memory);
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), fd_.get());
  if (IpAddress::parse(server_name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), server_name.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl_.get(), server_name.c_str());
    SSL_set1_host(ssl_.get(), server_name.c_str());
  }
  return SSL_connect(ssl_.get()) == 1;
}

void Client::say(std::string_view text) {
  while (!text.empty()) {
    const auto sent = ssl_ ? SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()))
                           : ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Client::end_writing() {
  if (ssl_) {
    SSL_shutdown(ssl_.get());
  } else {
    ::shutdown(fd_.get(), SHUT_WR);
  }
}

void Client::close_with_reset() {
  const linger abort{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  fd_ = net::UniqueFd();
}

Client::Piece Client::read_piece(std::size_t most) {
  std::array<char, 16 * 1024> buffer;
  const auto size = std::min(most, buffer.size());
  errno = 0;
  const auto got =
      ssl_ ? SSL_read(ssl_.get(), buffer.data(), static_cast<int>(size)) : ::recv(fd_.get(), buffer.data(), size, 0);
  if (got > 0) return {std::string(buffer.data(), static_cast<std::size_t>(got))};
  if (errno == ECONNRESET || errno == EPIPE) return {{}, StreamEnd::reset};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {{}, StreamEnd::limit};
  return {{}, StreamEnd::fin};
}

std::string Client::hear_until(std::string_view text) {
  std::string all;
  while (all.find(text) == std::string::npos) {
    auto piece = read_piece(1);
    if (piece.bytes.empty()) break;
    all += piece.bytes;
  }
  return all;
}

std::string Client::hear_exactly(std::size_t bytes) {
  std::string all;
  while (all.size() < bytes) {
    auto piece = read_piece(bytes - all.size());
    if (piece.bytes.empty()) break;
    all += piece.bytes;
  }
  return all;
}

Heard Client::hear_to_end(Milliseconds limit) {
  set_limit(fd_.get(), limit);
  Heard heard;
  for (;;) {
    auto piece = read_piece(SIZE_MAX);
    if (piece.bytes.empty()) {
      heard.end = piece.end;
      break;
    }
    heard.bytes += piece.bytes;
  }
  set_limit(fd_.get(), default_limit);
  return heard;
}

std::string Client::hear_once() { return read_piece(SIZE_MAX).bytes; }

unsigned Client::segments() const { return data_segments_of(fd_.get()); }

std::string credentials(std::string_view session, std::string_view password) {
  const auto username = session.empty() ? std::string("user") : fmt::format("user-session-{}", session);
  return std::string(protocol::basic_credentials_line(username, password).reveal());
}

std::string connect_request(std::string_view target, std::string_view session) {
  return fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n{1}\r\n", target, credentials(session));
}

Client open_tunnel(const Simulator& simulator, std::string_view target, std::string_view session) {
  Client client(simulator.ports().http);
  client.say(connect_request(target, session));
  EXPECT_TRUE(client.hear_until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
  return client;
}

unsigned open_socks(Client& client, std::string_view host, std::uint16_t port, std::string_view session) {
  client.say(protocol::socks5_client_greeting());
  EXPECT_EQ(client.hear_exactly(2), std::string("\x05\x02"));
  client.say(protocol::socks5_client_credentials(fmt::format("user-session-{}", session), "pass").reveal());
  EXPECT_EQ(client.hear_exactly(2), std::string("\x01\x00", 2));
  client.say(protocol::socks5_client_request(protocol::make_authority(host, port).value()));
  const auto reply = client.hear_exactly(10);
  return reply.size() < 2 ? 255 : static_cast<unsigned char>(reply[1]);
}

std::string exit_of(const Simulator& simulator, std::string_view session) {
  auto tunnel = open_tunnel(simulator, "exit-ip.sim:80", session);
  tunnel.say("GET / HTTP/1.1\r\nHost: exit-ip.sim\r\nConnection: close\r\n\r\n");
  tunnel.hear_until("\r\n\r\n");
  auto body = tunnel.hear_to_end().bytes;
  EXPECT_TRUE(body.ends_with("\n"));
  body.resize(body.empty() ? 0 : body.size() - 1);
  return body;
}

ApiResult call_api(const Simulator& simulator, std::string_view method, std::string_view path, std::string_view body) {
  Client client(simulator.ports().api);
  client.say(fmt::format("{} {} HTTP/1.1\r\nHost: api\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}", method,
                         path, body.size(), body));
  const auto head = client.hear_until("\r\n\r\n");
  const auto status = head.size() > 12 ? static_cast<unsigned>(std::stoul(head.substr(9, 3))) : 0;
  return {status, client.hear_to_end().bytes};
}

}  // namespace chipgate::sim::test
