// getaddrinfo on two threads.
#include "chipgate/net/resolver.hpp"

#include <algorithm>
#include <memory>
#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>
#include <thread>

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
  for (int i = 0; i < thread_count; ++i) {
    auto worker = std::make_shared<Worker>();
    worker->thread = std::thread(work, state_, worker);
    ::pthread_setname_np(worker->thread.native_handle(), "resolver");
    workers_.push_back(std::move(worker));
  }
}

SystemResolver::~SystemResolver() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->questions.clear();
  state_->asked.notify_all();
  for (auto& worker : workers_) {
    if (worker->looking_up) worker->thread.detach();
  }
  lock.unlock();
  // glibc frees what a thread held for name lookups when the thread ends. At the end of the process an unjoined one
  // may be caught in between.
  for (auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

void SystemResolver::resolve(std::string host, Callback done) {
  if (const auto address = IpAddress::parse(host)) {
    done(std::vector<IpAddress>{*address});
    return;
  }
  const std::lock_guard lock(state_->mutex);
  state_->questions.push_back({std::move(host), std::move(done)});
  state_->asked.notify_one();
}

void SystemResolver::work(const std::shared_ptr<State>& state, const std::shared_ptr<Worker>& self) {
  std::unique_lock lock(state->mutex);
  for (;;) {
    state->asked.wait(lock, [&] { return state->stopping || !state->questions.empty(); });
    if (state->stopping) return;
    auto question = std::move(state->questions.front());
    state->questions.pop_front();
    self->looking_up = true;
    lock.unlock();
    auto answer = look_up(question.host);
    // Under the lock: whoever destroys the resolver may rely on nothing being called back afterwards.
    lock.lock();
    self->looking_up = false;
    if (!state->stopping) question.done(std::move(answer));
  }
}

}  // namespace chipgate::net
