// Names: keeps the addresses of the gateway's endpoints fresh.
#pragma once

#include "chipgate/base/ids.hpp"
#include "chipgate/gateway/options.hpp"
#include "chipgate/net/resolver.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>

namespace chipgate::gateway {

// Lives on the control thread. Every answer is handed to `publish`, which posts it to the shards; a dial never waits
// for a name server but at the very start. Destroy the resolver first: its answers are posted here.
class Names {
 public:
  using Publish = std::function<void(EndpointIndex, const net::Resolver::Answer&)>;

  Names(boost::asio::io_context& control, net::Resolver& resolver, const GatewayOptions& options, Publish publish);

  void start();
  void stop();

 private:
  struct Entry {
    Entry(boost::asio::io_context& context, std::string name) : host(std::move(name)), timer(context) {}
    std::string host;
    boost::asio::steady_timer timer;
    Milliseconds retry{0};  // zero unless the last answer was a failure
  };

  void ask(std::size_t index);
  void answered(std::size_t index, const net::Resolver::Answer&);

  boost::asio::io_context& control_;
  net::Resolver& resolver_;
  Milliseconds refresh_;
  Publish publish_;
  std::deque<Entry> entries_;
  bool stopped_ = false;
};

}  // namespace chipgate::gateway
