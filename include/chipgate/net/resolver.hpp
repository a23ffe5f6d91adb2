// Resolver: names to addresses on threads of their own, since neither getaddrinfo nor Asio's resolver can be cancelled.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/result.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace chipgate::net {

// Asked for the names of gateways, of the webhook and of the command line's chipgate; no target's name comes here.
class Resolver {
 public:
  using Answer = Result<std::vector<IpAddress>>;
  using Callback = std::function<void(Answer)>;

  virtual ~Resolver() = default;
  // Calls back once, on any thread, possibly before it returns; the callback only posts.
  virtual void resolve(std::string host, Callback done) = 0;
};

// getaddrinfo, as the host is configured. An IP address is answered at once, without a thread.
class SystemResolver final : public Resolver {
 public:
  SystemResolver();
  // Nothing is called back any more. A thread that waits for a question is joined; one with a lookup under way, which a
  // dead name server can hold up for half a minute, is left to end by itself.
  ~SystemResolver() override;

  void resolve(std::string host, Callback done) override;

 private:
  struct Question {
    std::string host;
    Callback done;
  };
  // Shared with the threads, since they may outlive the resolver.
  struct State {
    std::mutex mutex;
    std::condition_variable asked;
    std::deque<Question> questions;
    bool stopping = false;
  };
  // Shared with its own thread. The flag is guarded by the state's mutex.
  struct Worker {
    std::thread thread;
    bool looking_up = false;
  };
  static void work(const std::shared_ptr<State>& state, const std::shared_ptr<Worker>& self);

  std::shared_ptr<State> state_ = std::make_shared<State>();
  std::vector<std::shared_ptr<Worker>> workers_;
};

}  // namespace chipgate::net
