// Chips on shards.
#include "chipgate/proxy/plane.hpp"

#include "chipgate/net/socket.hpp"
#include "chipgate/proxy/plane_shard.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <thread>

namespace chipgate::proxy {
namespace {

std::size_t shards_for(const ProxyOptions& options) {
  return options.workers != 0 ? options.workers : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

Plane::Plane(const PlaneOptions& options, boost::asio::io_context& control, telemetry::Log& log)
    : options_(options), control_(control) {
  for (std::size_t i = 0; i < shards_for(options_.proxy); ++i) {
    shards_.push_back(std::make_unique<PlaneShard>(options_, control_, log));
    shard_samples_.push_back(&shards_.back()->counters());
  }
}

Plane::~Plane() { stop(); }

std::uint16_t Plane::add_chip(ChipIndex index, const ChipOptions& chip) {
  auto listening = net::listen_on({options_.proxy.listen.address, chip.port});
  const auto port = local_address(listening.get()).port;
  const auto& added = shard_of(index).add_port(index, chip, std::move(listening));
  chip_samples_.push_back({added.chip(), &added.counters()});
  return port;
}

void Plane::start(lifecycle::DataPlaneEvents& events) {
  for (auto& shard : shards_) shard->start(events);
}

void Plane::publish(EndpointIndex endpoint, const net::Resolver::Answer& answer) {
  for (auto& shard : shards_) {
    shard->post([part = shard.get(), endpoint, answer] { part->dialer().endpoint(endpoint).resolved(answer); });
  }
}

void Plane::open(ChipIndex chip, gateway::RoutePtr route) {
  auto& shard = shard_of(chip);
  shard.post([&shard, place = place_of(chip), route = std::move(route)]() mutable {
    shard.port(place).open(std::move(route));
  });
}

void Plane::fence(ChipIndex chip, Epoch next, ErrorKind why, std::function<void()> done) {
  auto& shard = shard_of(chip);
  auto report = [this, done = std::move(done)] { boost::asio::post(control_, done); };
  shard.post([&shard, place = place_of(chip), next, why, report = std::move(report)] {
    shard.port(place).fence(next, why, report);
  });
}

void Plane::refuse(ChipIndex chip, const Error& why) {
  auto& shard = shard_of(chip);
  shard.post([&shard, place = place_of(chip), why] { shard.port(place).refuse(why); });
}

void Plane::leave() {
  for (auto& shard : shards_) {
    shard->post([part = shard.get()] {
      for (auto& port : part->ports()) port.leave();
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
      const bool idle = std::ranges::all_of(part->ports(), &Port::idle);
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
