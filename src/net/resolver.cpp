// getaddrinfo on two threads.
#include "chipgate/net/resolver.hpp"

#include <algorithm>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>

namespace chipgate::net {
namespace {

// A second thread, so that one dead name server of one endpoint does not hold up the other endpoints.
constexpr int thread_count = 2;

Resolver::Answer look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* first = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &first); error != 0) {
    return Error{ErrorKind::gateway_unresolved, host + ": " + ::gai_strerror(error)};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(first, ::freeaddrinfo);
  std::vector<IpAddress> addresses;
  for (const auto* entry = first; entry != nullptr; entry = entry->ai_next) {
    sockaddr_storage storage{};
    std::copy_n(reinterpret_cast<const char*>(entry->ai_addr), entry->ai_addrlen, reinterpret_cast<char*>(&storage));
    const auto address = SocketAddress::from(storage);
    if (address && std::ranges::find(addresses, address->ip) == addresses.end()) addresses.push_back(address->ip);
  }
  if (addresses.empty()) return Error{ErrorKind::gateway_unresolved, host + ": no address"};
  return addresses;
}

}  // namespace

SystemResolver::SystemResolver() {
  for (int i = 0; i < thread_count; ++i) threads_.emplace_back([this] { work(); });
}

SystemResolver::~SystemResolver() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    questions_.clear();
  }
  asked_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void SystemResolver::resolve(std::string host, Callback done) {
  if (const auto address = IpAddress::parse(host)) {
    done(std::vector<IpAddress>{*address});
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    questions_.push_back({std::move(host), std::move(done)});
  }
  asked_.notify_one();
}

void SystemResolver::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    asked_.wait(lock, [this] { return stopping_ || !questions_.empty(); });
    if (stopping_) return;
    auto question = std::move(questions_.front());
    questions_.pop_front();
    lock.unlock();
    question.done(look_up(question.host));
    lock.lock();
  }
}

}  // namespace chipgate::net
