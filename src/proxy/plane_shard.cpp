// A shard's thread.
#include "chipgate/proxy/plane_shard.hpp"

#include <boost/asio/post.hpp>

namespace chipgate::proxy {
namespace {

// A host without descriptors pauses ten times a second; a person needs to hear of it once in a while.
constexpr Milliseconds tell_of_pauses_every{10'000};

}  // namespace

PlaneShard::PlaneShard(const PlaneOptions& options, boost::asio::io_context& control, telemetry::Log& log)
    : options_(options),
      control_(control),
      log_(log),
      relay_(shard_, options.relay, counters_),
      dialer_(shard_, options.gateway, counters_, *this),
      paused_(shard_, [this] { on_pause(); }) {}

PlaneShard::~PlaneShard() { stop(); }

Port& PlaneShard::add_port(ChipIndex index, const ChipOptions& chip, net::UniqueFd listening) {
  auto& port = ports_.emplace_back(ShardParts{shard_, relay_, dialer_, counters_, log_, options_.proxy},
                                   static_cast<PortEvents&>(*this), index, chip);
  port.listen(paused_, std::move(listening));
  return port;
}

void PlaneShard::start(lifecycle::DataPlaneEvents& events) {
  events_ = &events;
  thread_ = std::thread([this] { shard_.run(); });
}

void PlaneShard::stop() {
  if (!thread_.joinable()) return;
  shard_.post([this] {
    for (auto& port : ports_) port.drain(ErrorKind::draining);
    shard_.stop();
  });
  thread_.join();
}

void PlaneShard::on_wanted(ChipIndex chip) {
  boost::asio::post(control_, [this, chip] { events_->wanted(chip); });
}

void PlaneShard::on_endpoint(EndpointIndex endpoint, gateway::EndpointNews news) {
  boost::asio::post(control_, [this, endpoint, news] { events_->endpoint_news(endpoint, news); });
}

void PlaneShard::on_pause() {
  counters_.accept_pauses.increment();
  const auto now = Clock::now();
  if (pause_told_ != TimePoint{} && now - pause_told_ < tell_of_pauses_every) return;
  pause_told_ = now;
  log_.warn("out_of_descriptors", {{"effect", "accepting pauses until a descriptor is free"}});
}

}  // namespace chipgate::proxy
