// Accepting, and what happens without descriptors.
#include "chipgate/net/listener.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace chipgate::net {
namespace {

// A burst on one port may not keep the shard from its tunnels.
constexpr int accepts_per_turn = 64;

constexpr std::chrono::milliseconds retry_after{100};

// Errors of the connection that was about to be accepted, not of the listener (accept(2), "Error handling").
bool belongs_to_the_connection(int error) {
  switch (error) {
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH: return true;
    default: return false;
  }
}

}  // namespace

PausedListeners::PausedListeners(Shard& shard, std::function<void()> on_pause)
    : shard_(shard), on_pause_(std::move(on_pause)) {
  shard_.set().on_descriptor_freed([this] {
    if (!paused_.empty()) resume_soon();
  });
}

PausedListeners::~PausedListeners() { shard_.set().on_descriptor_freed(nullptr); }

void PausedListeners::pause(Listener& listener) {
  on_pause_();
  if (std::ranges::find(paused_, &listener) == paused_.end()) paused_.push_back(&listener);
  if (!armed()) shard_.timers().arm(*this, Clock::now() + retry_after);
}

void PausedListeners::forget(Listener& listener) { std::erase(paused_, &listener); }

void PausedListeners::on_timer() { resume(); }

// Not in place: the descriptor is being freed in the middle of somebody's work.
void PausedListeners::resume_soon() {
  if (resuming_) return;
  resuming_ = true;
  shard_.timers().arm(*this, Clock::now());
}

void PausedListeners::resume() {
  resuming_ = false;
  for (auto* listener : std::exchange(paused_, {})) listener->accept_some();
}

Listener::Listener(Shard& shard, PausedListeners& paused, Acceptor& acceptor, UniqueFd listening)
    : shard_(shard),
      paused_(paused),
      acceptor_(acceptor),
      socket_(shard.set().add_listener(std::move(listening))),
      self_(std::make_shared<Listener*>(this)) {
  socket_->watch(this);
}

Listener::~Listener() {
  *self_ = nullptr;
  paused_.forget(*this);
}

void Listener::accept_some() {
  for (int i = 0; i < accepts_per_turn; ++i) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    UniqueFd client(
        ::accept4(socket_->fd(), reinterpret_cast<sockaddr*>(&storage), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client) {
      const auto peer = SocketAddress::from(storage).value_or(SocketAddress{});
      auto end = shard_.set().add(std::move(client));
      if (end) {
        acceptor_.on_accept(*this, std::move(end), peer);
        continue;
      }
    }
    if (errno == EAGAIN) return;
    if (belongs_to_the_connection(errno)) continue;
    // EMFILE, ENFILE, ENOBUFS, ENOMEM, or no more watches (ENOSPC): no edge will come for what already waits, so
    // somebody has to remember.
    paused_.pause(*this);
    return;
  }
  shard_.post([self = self_] {
    if (*self != nullptr) (*self)->accept_some();
  });
}

}  // namespace chipgate::net
