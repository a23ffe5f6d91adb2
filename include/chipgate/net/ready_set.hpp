// ReadySet: a shard's own edge-triggered epoll set, watched by the io_context as one descriptor.
#pragma once

#include "chipgate/base/result.hpp"
#include "chipgate/net/end.hpp"
#include "chipgate/net/unique_fd.hpp"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <vector>

namespace chipgate::net {

// Listeners, handshakes, warm connections and tunnels alike live here, each added once. One thread.
class ReadySet {
 public:
  explicit ReadySet(boost::asio::io_context&);
  ~ReadySet();
  ReadySet(const ReadySet&) = delete;
  ReadySet& operator=(const ReadySet&) = delete;

  // A connected or connecting socket. Empty, with errno, where the kernel watches no more (max_user_watches, memory):
  // no event would ever come for it. The socket is reset then.
  EndPtr add(UniqueFd fd);
  // A listening socket: no edges for writing. Throws std::system_error: it is start-up's.
  EndPtr add_listener(UniqueFd fd);

  // Takes what is ready now and tells the watchers; how many events there were. The relay asks it between slices of
  // bulk work, to see whether anybody else waits.
  std::size_t collect();

  // Called whenever a descriptor of this set has been closed.
  void on_descriptor_freed(std::function<void()> callback) { descriptor_freed_ = std::move(callback); }

  // Ends the watch, so that the io_context can run dry.
  void stop();

 private:
  friend struct Retire;
  EndPtr add(UniqueFd fd, std::uint32_t events);
  void retire(End*);
  void bury();
  void arm();
  void run_batch();

  boost::asio::io_context& context_;
  boost::asio::posix::stream_descriptor epoll_;
  std::function<void()> descriptor_freed_;
  std::vector<End*> retired_;
  std::size_t dispatching_ = 0;
  bool stopped_ = false;
};

}  // namespace chipgate::net
