// A gateway that answers every CONNECT with 200, and clients that use it.
#include "load.hpp"

#include "chipgate/base/address.hpp"
#include "chipgate/net/descriptors.hpp"
#include "chipgate/net/socket.hpp"
#include "chipgate/net/unique_fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <future>
#include <map>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace chipgate::bench {
namespace {

constexpr std::size_t message_size = 64;
constexpr std::size_t parallel = 16;

struct Order {
  Work work;
  std::uint16_t chip_port;
  std::uint64_t count;
};

[[noreturn]] void fail(const char* what) { throw std::runtime_error(what); }

void send_all(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const auto put = ::send(fd, bytes, size, MSG_NOSIGNAL);
    if (put <= 0) fail("send");
    bytes += put;
    size -= static_cast<std::size_t>(put);
  }
}

void receive_all(int fd, char* into, std::size_t size) {
  while (size > 0) {
    const auto got = ::recv(fd, into, size, 0);
    if (got <= 0) fail("recv");
    into += got;
    size -= static_cast<std::size_t>(got);
  }
}

// Targets say what is wanted: "echo.bench", or "bytes<count>.bench".
class Gateway {
 public:
  explicit Gateway(net::UniqueFd listener) : listener_(std::move(listener)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    watch(listener_.get(), EPOLLIN);
  }

  void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_.get()) {
          accept();
        } else if (!serve(fd, connections_[fd])) {
          ::close(fd);
          connections_.erase(fd);
        }
      }
    }
  }

 private:
  struct Connection {
    std::string head;
    bool open = false;
    std::uint64_t to_send = 0;
  };

  void watch(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
    }
  }

  void accept() {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    connections_[fd] = {};
    watch(fd, EPOLLIN);
  }

  bool serve(int fd, Connection& connection) {
    if (connection.to_send > 0) return blast(fd, connection);
    std::array<char, 16 * 1024> room;
    const auto got = ::recv(fd, room.data(), room.size(), 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    if (connection.open) return ::send(fd, room.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
    connection.head.append(room.data(), static_cast<std::size_t>(got));
    if (connection.head.ends_with("\r\n\r\n")) answer(fd, connection);
    return true;
  }

  void answer(int fd, Connection& connection) {
    constexpr std::string_view yes = "HTTP/1.1 200 OK\r\n\r\n";
    connection.open = true;
    send_all(fd, yes.data(), yes.size());
    const auto target = connection.head.substr(connection.head.find(' ') + 1);
    connection.head = {};
    if (!target.starts_with("bytes")) return;
    connection.to_send = std::strtoull(target.c_str() + 5, nullptr, 10);
    watch(fd, EPOLLOUT);
  }

  bool blast(int fd, Connection& connection) {
    static const std::string piece(256 * 1024, 'b');
    const auto put = ::send(fd, piece.data(), std::min<std::uint64_t>(piece.size(), connection.to_send), MSG_NOSIGNAL);
    if (put <= 0) return put < 0 && errno == EAGAIN;
    connection.to_send -= static_cast<std::uint64_t>(put);
    if (connection.to_send == 0) watch(fd, EPOLLIN);
    return true;
  }

  net::UniqueFd listener_;
  net::UniqueFd epoll_;
  std::map<int, Connection> connections_;
};

class Clients {
 public:
  explicit Clients(std::uint16_t port) : port_(port) {}

  void run(Work work, std::uint64_t count) {
    switch (work) {
      case Work::tunnels: return come_and_go(1, count);
      case Work::tunnels_together: return come_and_go(parallel, count);
      case Work::echoes: return echo(count);
      case Work::bulk: return bulk(1, count);
      case Work::bulks: return bulk(parallel, count);
      case Work::hold:
        for (std::uint64_t i = 0; i < count; ++i) held_.push_back(open("echo.bench"));
        return;
    }
  }

 private:
  net::UniqueFd open(const std::string& host) const {
    const KernelAddress to({IpAddress::v4({127, 0, 0, 1}), port_});
    net::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), to.get(), to.length) != 0) fail("connect");
    const auto head = "CONNECT " + host + ":443 HTTP/1.1\r\nHost: " + host + ":443\r\n\r\n";
    send_all(fd.get(), head.data(), head.size());
    std::string answer;
    // Byte by byte: what follows is the tunnel's.
    while (!answer.ends_with("\r\n\r\n")) {
      char byte = 0;
      receive_all(fd.get(), &byte, 1);
      answer += byte;
    }
    if (!answer.starts_with("HTTP/1.1 200")) fail("not answered with 200");
    return fd;
  }

  void come_and_go(std::size_t at_once, std::uint64_t count) const {
    std::vector<std::future<void>> all;
    for (std::size_t i = 0; i < at_once; ++i) {
      all.push_back(std::async(std::launch::async, [this, rounds = count / at_once] {
        for (std::uint64_t round = 0; round < rounds; ++round) open("echo.bench");
      }));
    }
    for (auto& one : all) one.get();
  }

  void echo(std::uint64_t count) const {
    std::vector<net::UniqueFd> tunnels;
    for (std::size_t i = 0; i < parallel; ++i) tunnels.push_back(open("echo.bench"));
    std::array<char, message_size> message{};
    for (std::uint64_t round = 0; round < count / parallel; ++round) {
      for (auto& tunnel : tunnels) send_all(tunnel.get(), message.data(), message.size());
      for (auto& tunnel : tunnels) receive_all(tunnel.get(), message.data(), message.size());
    }
  }

  void bulk(std::size_t tunnels, std::uint64_t count) const {
    const auto each = count / tunnels;
    std::vector<pollfd> waiting;
    std::vector<net::UniqueFd> owners;
    for (std::size_t i = 0; i < tunnels; ++i) {
      owners.push_back(open("bytes" + std::to_string(each) + ".bench"));
      waiting.push_back({owners.back().get(), POLLIN, 0});
    }
    std::vector<char> room(256 * 1024);
    for (std::uint64_t got = 0; got < each * tunnels;) {
      ::poll(waiting.data(), waiting.size(), -1);
      for (const auto& one : waiting) {
        if (one.revents == 0) continue;
        const auto read = ::recv(one.fd, room.data(), room.size(), 0);
        if (read <= 0) fail("a bulk tunnel ended");
        got += static_cast<std::uint64_t>(read);
      }
    }
  }

  std::uint16_t port_;
  std::vector<net::UniqueFd> held_;
};

[[noreturn]] void play(int orders, int reports) {
  std::signal(SIGPIPE, SIG_IGN);
  net::raise_descriptor_limit();
  auto listener = net::listen_on({IpAddress::v4({127, 0, 0, 1}), 0});
  const auto port = local_address(listener.get()).port;
  Gateway gateway(std::move(listener));
  std::thread([&gateway] { gateway.run(); }).detach();
  if (::write(reports, &port, sizeof port) != sizeof port) ::_exit(1);
  std::vector<Clients> all;  // what they hold stays
  Order order{};
  while (::read(orders, &order, sizeof order) == sizeof order) {
    char done = 'y';
    try {
      all.emplace_back(order.chip_port).run(order.work, order.count);
    } catch (const std::exception&) {
      done = 'n';
    }
    if (::write(reports, &done, 1) != 1) break;
  }
  ::_exit(0);
}

}  // namespace

Load::Load() {
  std::array<int, 2> orders{};
  std::array<int, 2> reports{};
  if (::pipe2(orders.data(), O_CLOEXEC) != 0 || ::pipe2(reports.data(), O_CLOEXEC) != 0) fail("pipe2");
  child_ = ::fork();
  if (child_ == 0) {
    ::close(orders[1]);
    ::close(reports[0]);
    play(orders[0], reports[1]);
  }
  ::close(orders[0]);
  ::close(reports[1]);
  orders_ = orders[1];
  reports_ = reports[0];
  if (::read(reports_, &gateway_port_, sizeof gateway_port_) != sizeof gateway_port_) fail("the load did not start");
}

Load::~Load() {
  ::close(orders_);
  ::close(reports_);
  ::waitpid(child_, nullptr, 0);
}

void Load::run(Work work, std::uint64_t count) {
  const Order order{work, chip_port_, count};
  char done = 'n';
  if (::write(orders_, &order, sizeof order) != sizeof order || ::read(reports_, &done, 1) != 1 || done != 'y') {
    fail("the load failed");
  }
}

}  // namespace chipgate::bench
