// Accepting, and what happens without descriptors.
#include "chipgate/net/listener.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/eventfd.h>
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

PausedListeners::PausedListeners(Shard& shard, std::function<void()> on_pause, std::uint32_t reserve)
    : shard_(shard), on_pause_(std::move(on_pause)), reserve_(reserve) {
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
  if (paused_.empty()) return;
  if (!has_room()) {
    on_pause_();
    shard_.timers().arm(*this, Clock::now() + retry_after);
    return;
  }
  auto last = Listener::Waiting::nobody;
  for (auto tries = paused_.size(); tries > 0 && !paused_.empty(); --tries) {
    auto& listener = *paused_.front();
    last = listener.accept_one();
    // Who was not served stays the first.
    if (last == Listener::Waiting::without_descriptor) break;
    std::erase(paused_, &listener);
    if (last == Listener::Waiting::perhaps_more) paused_.push_back(&listener);
  }
  if (paused_.empty()) return;
  if (last != Listener::Waiting::without_descriptor) return resume_soon();
  on_pause_();
  // Also where a client has just been reset that the kernel would not watch: its descriptor is free again, and the next
  // client would fare no better.
  resuming_ = false;
  shard_.timers().arm(*this, Clock::now() + retry_after);
}

bool PausedListeners::accepted_of_reserve(int fd) {
  at_reserve_ = reserve_.holds(fd);
  was_short_ = was_short_ || at_reserve_;
  return at_reserve_;
}

// Which number would be given next is only told by opening something.
bool PausedListeners::has_room() {
  if (!was_short_) return true;
  const UniqueFd next(::eventfd(0, EFD_CLOEXEC));
  at_reserve_ = !next || reserve_.holds(next.get());
  return !at_reserve_;
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
  if (paused_.others_wait()) return paused_.pause(*this);
  switch (accept_up_to(accepts_per_turn)) {
    case Waiting::nobody: return;
    case Waiting::without_descriptor: return paused_.pause(*this);
    case Waiting::perhaps_more: break;
  }
  shard_.post([self = self_] {
    if (*self != nullptr) (*self)->accept_some();
  });
}

Listener::Waiting Listener::accept_up_to(int most) {
  if (paused_.at_reserve()) return Waiting::without_descriptor;
  for (int i = 0; i < most; ++i) {
    if (!paused_.has_room()) return Waiting::without_descriptor;
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    UniqueFd client(
        ::accept4(socket_->fd(), reinterpret_cast<sockaddr*>(&storage), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client) {
      const auto peer = SocketAddress::from(storage).value_or(SocketAddress{});
      const bool last = paused_.accepted_of_reserve(client.get());
      auto end = shard_.set().add(std::move(client));
      if (end) {
        acceptor_.on_accept(*this, std::move(end), peer);
        if (!last) continue;
        return Waiting::perhaps_more;
      }
    }
    if (errno == EAGAIN) return Waiting::nobody;
    if (belongs_to_the_connection(errno)) continue;
    // EMFILE, ENFILE, ENOBUFS, ENOMEM, or no more watches (ENOSPC): no edge will come for what already waits, so
    // somebody has to remember.
    return Waiting::without_descriptor;
  }
  return Waiting::perhaps_more;
}

}  // namespace chipgate::net
