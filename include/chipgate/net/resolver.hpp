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
#include <vector>

namespace chipgate::net {

// Only ever asked for the names of gateways; no target's name comes here.
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
  // Nothing is called back any more. Does not wait for a lookup under way, which a dead name server can hold up for
  // half a minute: its thread ends by itself.
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
  static void work(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace chipgate::net
