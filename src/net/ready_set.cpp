// The epoll set of a shard.
#include "chipgate/net/ready_set.hpp"

#include <boost/asio/post.hpp>
#include <cerrno>
#include <sys/epoll.h>
#include <system_error>

namespace chipgate::net {
namespace {

// As many as one turn of handshakes and small tunnels should see at once; a full batch is continued by post.
constexpr std::size_t batch_size = 256;

int make_epoll() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return fd;
}

}  // namespace

ReadySet::ReadySet(boost::asio::io_context& context) : context_(context), epoll_(context, make_epoll()) { arm(); }

ReadySet::~ReadySet() { bury(); }

void ReadySet::stop() {
  stopped_ = true;
  epoll_.cancel();
}

EndPtr ReadySet::add(UniqueFd fd) { return add(std::move(fd), EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET); }

EndPtr ReadySet::add_listener(UniqueFd fd) {
  auto end = add(std::move(fd), EPOLLIN | EPOLLET);
  if (!end) throw std::system_error(errno, std::generic_category(), "epoll_ctl for a listener");
  return end;
}

EndPtr ReadySet::add(UniqueFd fd, std::uint32_t events) {
  EndPtr end(new End(*this, fd.release()));
  epoll_event event{};
  event.events = events;
  event.data.ptr = end.get();
  if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, end->fd(), &event) != 0) {
    const int error = errno;
    // A client that nothing was said to takes a FIN for a broken login.
    reset(std::exchange(end, nullptr));
    errno = error;
  }
  return end;
}

std::size_t ReadySet::collect() {
  std::array<epoll_event, batch_size> events;
  const int count = ::epoll_wait(epoll_.native_handle(), events.data(), batch_size, 0);
  if (count <= 0) return 0;
  ++dispatching_;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    auto& end = *static_cast<End*>(events[i].data.ptr);
    const auto what = events[i].events;
    if (end.fd_ < 0) continue;  // retired by an earlier event of this batch
    if ((what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) end.hung_up_ = true;
    if ((what & (EPOLLHUP | EPOLLERR)) != 0) end.broken_ = true;
    if ((what & EPOLLPRI) != 0) end.urgent_ = true;
    if ((what & EPOLLIN) != 0 || end.hung_up_) end.readable_ = true;
    if ((what & EPOLLOUT) != 0 || end.broken_) end.writable_ = true;
    // TLS may want to read in order to write and the other way round; trying once too often costs little.
    if (end.is_tls()) end.readable_ = end.writable_ = true;
    if (end.watcher_ != nullptr) end.watcher_->on_ready(end);
  }
  if (--dispatching_ == 0) bury();
  return static_cast<std::size_t>(count);
}

void ReadySet::run_batch() {
  if (collect() == batch_size) {
    boost::asio::post(context_, [this] { run_batch(); });
  } else {
    arm();
  }
}

// Asio re-arms its own edge on every wait, so nothing that came since the last collect is missed.
void ReadySet::arm() {
  if (stopped_) return;
  epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
    if (!error) run_batch();
  });
}

void ReadySet::retire(End* end) {
  // OpenSSL does not own the descriptor; its state goes first, so that nothing of it can write to a reused number.
  end->tls_ = TlsSession();
  end->watcher_ = nullptr;
  ::close(std::exchange(end->fd_, -1));
  if (dispatching_ == 0) {
    delete end;
  } else {
    retired_.push_back(end);
  }
  if (descriptor_freed_) descriptor_freed_();
}

void ReadySet::bury() {
  for (auto* end : retired_) delete end;
  retired_.clear();
}

}  // namespace chipgate::net
