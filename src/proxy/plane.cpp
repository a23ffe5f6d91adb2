// Chips on shards.
#include "chipgate/proxy/plane.hpp"

#include "chipgate/net/socket.hpp"
#include "chipgate/proxy/plane_shard.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace chipgate::proxy {
namespace {

std::size_t shards_for(const ProxyOptions& options) {
  return options.workers != 0 ? options.workers : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

Plane::Plane(const PlaneOptions& options, boost::asio::io_context& control, telemetry::Log& log)
    : options_(options), control_(control) {
  for (std::size_t i = 0; i < shards_for(options_.proxy); ++i) {
    shards_.push_back(std::make_unique<PlaneShard>(options_, control_, log, i, all_tunnels_));
    shard_samples_.push_back(&shards_.back()->counters());
  }
}

Plane::~Plane() { stop(); }

Result<std::uint16_t> Plane::listen(ChipIndex chip, const ChipId& id, std::uint16_t port) {
  net::UniqueFd listening;
  try {
    listening = net::listen_on({options_.proxy.listen.address, port});
  } catch (const std::system_error& error) {
    return Error{ErrorKind::port_not_bound, error.what()};
  }
  const auto bound = local_address(listening.get()).port;
  const auto counters = std::make_shared<PortCounters>(id);
  if (!counters_.emplace(chip, counters).second) throw std::logic_error("a chip's index was used twice");
  chip_samples_.push_back({counters->chip, counters.get()});
  auto& shard = shard_of(chip);
  shard.post([&shard, chip, counters, listening = std::move(listening)]() mutable {
    shard.open_port(chip, counters, std::move(listening));
  });
  return bound;
}

void Plane::close(ChipIndex chip, std::function<void()> done) {
  if (const auto found = counters_.find(chip); found != counters_.end()) {
    std::erase_if(chip_samples_, [&](const auto& sample) { return sample.counters == found->second.get(); });
    counters_.erase(found);
  }
  auto& shard = shard_of(chip);
  shard.post([this, &shard, chip, done = std::move(done)]() mutable {
    shard.close_port(chip, [this, done = std::move(done)] { boost::asio::post(control_, done); });
  });
}

void Plane::start(lifecycle::DataPlaneEvents& events) {
  for (auto& shard : shards_) shard->start(events);
}

void Plane::publish(EndpointIndex endpoint, const net::Resolver::Answer& answer) {
  for (auto& shard : shards_) {
    shard->post([part = shard.get(), endpoint, answer] { part->dialer().endpoint(endpoint).resolved(answer); });
  }
}

// What was asked of a chip before it was closed finds its port; what is asked later has nobody to ask.
template <class Function>
void Plane::on_port(ChipIndex chip, Function function) {
  auto& shard = shard_of(chip);
  shard.post([&shard, chip, function = std::move(function)]() mutable { function(shard.port(chip)); });
}

void Plane::limit_whatsapp(ChipIndex chip, std::optional<std::uint32_t> most) {
  on_port(chip, [most](Port* port) {
    if (port != nullptr) port->limit_whatsapp(most);
  });
}

void Plane::open(ChipIndex chip, gateway::RoutePtr route) {
  on_port(chip, [route = std::move(route)](Port* port) mutable {
    if (port != nullptr) port->open(std::move(route));
  });
}

void Plane::withhold(ChipIndex chip) {
  on_port(chip, [](Port* port) {
    if (port != nullptr) port->withhold();
  });
}

void Plane::fence(ChipIndex chip, Epoch next, ErrorKind why, std::function<void()> done) {
  auto report = [this, done = std::move(done)] { boost::asio::post(control_, done); };
  on_port(chip, [next, why, report = std::move(report)](Port* port) {
    if (port == nullptr) return report();
    port->fence(next, why, report);
  });
}

void Plane::refuse(ChipIndex chip, const Error& why) {
  on_port(chip, [why](Port* port) {
    if (port != nullptr) port->refuse(why);
  });
}

void Plane::explain(ChipIndex chip, const Error& why) {
  on_port(chip, [why](Port* port) {
    if (port != nullptr) port->explain(why);
  });
}

void Plane::look(ChipIndex chip, gateway::RoutePtr route, protocol::HttpUrl echo, Milliseconds timeout,
                 std::function<void(lifecycle::Looked)> done) {
  auto report = [this, done = std::move(done)](lifecycle::Looked looked) {
    boost::asio::post(control_, [done, looked = std::move(looked)] { done(looked); });
  };
  on_port(chip, [route = std::move(route), echo = std::move(echo), timeout, report = std::move(report)](Port* port) {
    if (port == nullptr) return report({Error{ErrorKind::fenced}});
    port->look(route, echo, timeout, report);
  });
}

lifecycle::Usage Plane::usage(ChipIndex chip) const {
  const auto found = counters_.find(chip);
  if (found == counters_.end()) return {};
  const auto& counters = *found->second;
  return {counters.bytes_up.value(), counters.bytes_down.value(),
          counters.tunnels_open.value() + counters.requests_open.value(), counters.clients_held.value(),
          counters.last_used()};
}

template <class T>
void Plane::gather(std::vector<T> (PlaneShard::*ask)() const, std::function<void(std::vector<T>)> done) {
  struct Answers {
    std::size_t missing;
    std::vector<T> all;
    std::function<void(std::vector<T>)> done;
  };
  const auto answers = std::make_shared<Answers>(shards_.size(), std::vector<T>(), std::move(done));
  for (auto& shard : shards_) {
    shard->post([this, part = shard.get(), ask, answers] {
      boost::asio::post(control_, [answers, found = (part->*ask)()]() mutable {
        std::ranges::move(found, std::back_inserter(answers->all));
        if (--answers->missing == 0) answers->done(std::move(answers->all));
      });
    });
  }
}

void Plane::tunnels(std::function<void(std::vector<lifecycle::TunnelView>)> done) {
  gather(&PlaneShard::tunnels, std::move(done));
}

void Plane::crowds(std::function<void(std::vector<lifecycle::Crowd>)> done) {
  gather(&PlaneShard::crowds, std::move(done));
}

void Plane::cut(lifecycle::TunnelId id, std::function<void(bool)> done) {
  const auto number = TunnelIds::shard_of(id);
  if (number >= shards_.size()) {
    boost::asio::post(control_, [done = std::move(done)] { done(false); });
    return;
  }
  auto& shard = *shards_[number];
  shard.post([this, &shard, id, done = std::move(done)] {
    boost::asio::post(control_, [done, found = shard.cut(id)] { done(found); });
  });
}

void Plane::take_on(const ProxyOptions& options) {
  for (auto& shard : shards_) {
    shard->post([part = shard.get(), options] { part->take_on(options); });
  }
}

void Plane::leave() {
  for (auto& shard : shards_) {
    shard->post([part = shard.get()] {
      for (auto& [index, port] : part->ports()) port.leave();
    });
  }
}

void Plane::ask_idle(std::function<void(bool)> tell) {
  struct Answers {
    std::size_t missing;
    bool idle;
    std::function<void(bool)> tell;
  };
  const auto answers = std::make_shared<Answers>(shards_.size(), true, std::move(tell));
  for (auto& shard : shards_) {
    shard->post([this, part = shard.get(), answers] {
      const bool idle = std::ranges::all_of(part->ports(), [](const auto& entry) { return entry.second.idle(); });
      boost::asio::post(control_, [answers, idle] {
        answers->idle = answers->idle && idle;
        if (--answers->missing == 0) answers->tell(answers->idle);
      });
    });
  }
}

void Plane::stop() {
  for (auto& shard : shards_) shard->stop();
}

std::int64_t Plane::tunnels_open() const {
  std::int64_t open = 0;
  for (const auto& sample : chip_samples_) open += sample.counters->tunnels_open.value();
  return open;
}

}  // namespace chipgate::proxy
