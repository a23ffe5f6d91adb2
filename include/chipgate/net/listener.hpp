// Listener: a listening socket in a shard's set.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/net/descriptors.hpp"
#include "chipgate/net/shard.hpp"

#include <deque>
#include <functional>

namespace chipgate::net {

class Listener;

// Who gets what a listener accepts.
class Acceptor {
 public:
  virtual void on_accept(Listener&, EndPtr client, const SocketAddress& peer) = 0;

 protected:
  ~Acceptor() = default;
};

// The listeners of a shard that ran out of descriptors. They are tried again when a descriptor of the shard is freed,
// and at latest after 100 ms, since another shard's descriptors are freed unseen; the processor is idle meanwhile.
// They count as run out while only the reserve is left: a client that got the very last one could not be served. Each
// is tried for one client in turn: a port that is flooded takes no more of what is freed than any other.
class PausedListeners final : private Timer {
 public:
  // `on_pause` is called with every pause, to be counted and told.
  PausedListeners(Shard& shard, std::function<void()> on_pause, std::uint32_t reserve = 0);
  ~PausedListeners();

  void pause(Listener&);
  // Others wait for descriptors already, and this one not before them.
  bool others_wait() const { return !paused_.empty(); }
  void forget(Listener&);
  // Whether this one, just accepted, is of the reserve. It may stay, but it is the last until others are freed.
  bool accepted_of_reserve(int fd);
  // Whether the reserve was met, and nothing has been freed since.
  bool at_reserve() const { return at_reserve_; }
  // Whether one more may be accepted. Nobody looks before the first shortage; from then on before every accept: what
  // one that leaves gives back would otherwise let two in, the second out of the reserve, until nothing is left of it.
  bool has_room();

 private:
  void on_timer() override;
  void resume_soon();
  void resume();

  Shard& shard_;
  std::function<void()> on_pause_;
  DescriptorReserve reserve_;
  std::deque<Listener*> paused_;  // the next first
  bool resuming_ = false;
  bool at_reserve_ = false;
  bool was_short_ = false;
};

// One thread: its shard's.
class Listener final : public Watcher {
 public:
  Listener(Shard&, PausedListeners&, Acceptor&, UniqueFd listening);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Accepts what waits, a bounded number a turn.
  void accept_some();
  // What came of accepting: there is nobody any more, perhaps somebody, or no descriptor for whoever it is.
  enum class Waiting : std::uint8_t { nobody, perhaps_more, without_descriptor };
  Waiting accept_one() { return accept_up_to(1); }

 private:
  Waiting accept_up_to(int most);
  void on_ready(End&) override { accept_some(); }

  Shard& shard_;
  PausedListeners& paused_;
  Acceptor& acceptor_;
  EndPtr socket_;
  // Posted continuations look here, since the listener may be gone when they run.
  std::shared_ptr<Listener*> self_;
};

}  // namespace chipgate::net
