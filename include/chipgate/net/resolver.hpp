// Resolver: names to addresses on threads of their own, since neither getaddrinfo nor Asio's resolver can be cancelled.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/result.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace chipgate::net {

// Only ever asked for the names of gateways; no target's name comes here.
class Resolver {
 public:
  using Answer = Result<std::vector<IpAddress>>;
  using Callback = std::function<void(Answer)>;

  virtual ~Resolver() = default;
  // Calls back once, on any thread, possibly before it returns.
  virtual void resolve(std::string host, Callback done) = 0;
};

// getaddrinfo, as the host is configured. An IP address is answered at once, without a thread.
class SystemResolver final : public Resolver {
 public:
  SystemResolver();
  // Waits for a lookup under way, which the C library bounds (resolv.conf's timeout and attempts).
  ~SystemResolver() override;

  void resolve(std::string host, Callback done) override;

 private:
  void work();

  struct Question {
    std::string host;
    Callback done;
  };

  std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<Question> questions_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace chipgate::net
