// Endpoint: what one shard knows of one of the gateway's endpoints.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/ids.hpp"
#include "chipgate/base/result.hpp"
#include "chipgate/gateway/options.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chipgate::net {
class Waiter;
}

namespace chipgate::gateway {

// What a dial says about the endpoint itself; a refusal by the provider says that the endpoint is well.
enum class EndpointNews : std::uint8_t { reachable, unreachable };

// Told on the shard's thread: every third failure in a row, and the first success after such.
class EndpointObserver {
 public:
  virtual void on_endpoint(EndpointIndex, EndpointNews) = 0;

 protected:
  ~EndpointObserver() = default;
};

// One thread. The addresses come by post from whoever resolves the name; dials that came before them wait here.
class Endpoint {
 public:
  explicit Endpoint(const EndpointOptions& options) : options_(options), name_(options.name()) {}

  const EndpointOptions& options() const { return options_; }
  const std::string& name() const { return name_; }

  // A failed answer never takes known addresses away: a name server's outage is not the gateway's.
  void resolved(Result<std::vector<IpAddress>> answer);
  // The addresses, the one that last answered first; why there are none; or nothing known yet.
  std::optional<Result<std::vector<SocketAddress>>> addresses() const;
  // It has served: the next dial begins with this one.
  void prefer(const SocketAddress&);
  // It accepts connections and serves none: the next dial begins with another one. One that has served is believed
  // until the third time in a row, since a silence may be one session's.
  void doubt(const SocketAddress&);
  bool proven(const SocketAddress& address) const { return proven_ == address; }
  bool has_choice() const { return addresses_.size() > 1; }

  // Whether this outcome is news.
  std::optional<EndpointNews> succeeded();
  std::optional<EndpointNews> failed();

  // Those who wait for the first answer.
  class Waiting {
   public:
    Waiting(Endpoint& endpoint, net::Waiter& waiter);
    ~Waiting();
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    Endpoint& endpoint_;
    net::Waiter& waiter_;
  };

 private:
  void order_anew(const std::vector<IpAddress>& answer);

  EndpointOptions options_;
  std::string name_;
  std::vector<SocketAddress> addresses_;
  std::optional<SocketAddress> proven_;
  unsigned doubts_ = 0;
  std::optional<Error> failure_;
  std::vector<net::Waiter*> waiting_;
  unsigned failures_in_a_row_ = 0;
};

}  // namespace chipgate::gateway
