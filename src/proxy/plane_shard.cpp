// A shard's thread.
#include "chipgate/proxy/plane_shard.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <pthread.h>
#include <stdexcept>

namespace chipgate::proxy {
namespace {

// A host without descriptors pauses ten times a second; a person needs to hear of it once in a while.
constexpr Milliseconds tell_of_pauses_every{10'000};

// What accepting leaves free: a client needs a second descriptor for its way to the gateway, and a look one as well.
constexpr std::uint32_t kept_descriptors = 32;

}  // namespace

PlaneShard::PlaneShard(const PlaneOptions& options, boost::asio::io_context& control, telemetry::Log& log,
                       std::uint64_t number, TunnelTally& all_tunnels)
    : options_(options.proxy),
      control_(control),
      log_(log),
      relay_(shard_, options.relay, counters_),
      dialer_(shard_, options.gateway, counters_, *this),
      paused_(
          shard_, [this] { on_pause(); }, kept_descriptors),
      tunnel_ids_(number),
      all_tunnels_(all_tunnels) {}

PlaneShard::~PlaneShard() { stop(); }

void PlaneShard::take_on(const ProxyOptions& options) {
  options_.limits = options.limits;
  options_.destinations = options.destinations;
  options_.fail_style = options.fail_style;
  options_.head_timeout = options.head_timeout;
  options_.crowd_age = options.crowd_age;
}

void PlaneShard::open_port(ChipIndex index, const std::shared_ptr<PortCounters>& counters, net::UniqueFd listening) {
  const ShardParts parts{shard_, relay_, dialer_, counters_, log_, options_, tunnel_ids_, all_tunnels_};
  const auto [opened, fresh] = ports_.try_emplace(index, parts, static_cast<PortEvents&>(*this), index, counters);
  if (!fresh) throw std::logic_error("a chip's index was used twice");
  opened->second.listen(paused_, std::move(listening));
}

void PlaneShard::close_port(ChipIndex index, std::function<void()> done) {
  auto* const closing = port(index);
  if (closing == nullptr) return done();
  closing->close([this, index, done = std::move(done)] {
    // The port owns nothing of this function, which may outlive it.
    ports_.erase(index);
    done();
  });
}

Port* PlaneShard::port(ChipIndex index) {
  const auto found = ports_.find(index);
  return found == ports_.end() ? nullptr : &found->second;
}

std::vector<lifecycle::TunnelView> PlaneShard::tunnels() const {
  std::vector<lifecycle::TunnelView> all;
  for (const auto& [index, port] : ports_) std::ranges::move(port.tunnels(), std::back_inserter(all));
  return all;
}

// An operator's rare wish: it looks everywhere, so that no tunnel pays for being found.
bool PlaneShard::cut(lifecycle::TunnelId id) {
  return std::ranges::any_of(ports_, [id](auto& entry) { return entry.second.cut(id); });
}

std::vector<lifecycle::Crowd> PlaneShard::crowds() const {
  std::vector<lifecycle::Crowd> found;
  for (const auto& [index, port] : ports_) {
    if (const auto sessions = port.whatsapp_sessions(); sessions > 1) found.push_back({index, sessions});
  }
  return found;
}

void PlaneShard::start(lifecycle::DataPlaneEvents& events) {
  events_ = &events;
  thread_ = std::thread([this] { shard_.run(); });
  ::pthread_setname_np(thread_.native_handle(), "shard");
}

void PlaneShard::stop() {
  if (!thread_.joinable()) return;
  shard_.post([this] {
    for (auto& [index, port] : ports_) port.drain(ErrorKind::draining);
    shard_.stop();
  });
  thread_.join();
}

void PlaneShard::on_wanted(ChipIndex chip) {
  boost::asio::post(control_, [this, chip] { events_->wanted(chip); });
}

void PlaneShard::on_gateway_news(ChipIndex chip, Epoch epoch, const Error& error) {
  boost::asio::post(control_, [this, chip, epoch, error] { events_->gateway_news(chip, epoch, error); });
}

void PlaneShard::on_other_exit(ChipIndex chip, Epoch epoch, const IpAddress& seen) {
  boost::asio::post(control_, [this, chip, epoch, seen] { events_->other_exit(chip, epoch, seen); });
}

void PlaneShard::on_same_exit(ChipIndex chip, Epoch epoch, const IpAddress& seen) {
  boost::asio::post(control_, [this, chip, epoch, seen] { events_->same_exit(chip, epoch, seen); });
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
