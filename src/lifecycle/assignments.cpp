// In-memory assignments.
#include "chipgate/lifecycle/assignments.hpp"

#include <algorithm>

namespace chipgate::lifecycle {

Assignments::Assignments(const provider::Provider& provider, std::vector<std::string> endpoint_names, DataPlane& plane,
                         telemetry::Log& log, provider::RandomBits random)
    : provider_(provider),
      endpoint_names_(std::move(endpoint_names)),
      plane_(plane),
      log_(log),
      random_(std::move(random)),
      choice_(endpoint_names_.size()) {}

ChipIndex Assignments::add(const ChipId& chip) {
  chips_.push_back({.id = chip});
  return ChipIndex(static_cast<std::uint32_t>(chips_.size() - 1));
}

void Assignments::assign_all() {
  for (std::uint32_t i = 0; i < chips_.size(); ++i) assign(ChipIndex(i));
}

void Assignments::assign(ChipIndex index) {
  auto& chip = chips_.at(index.value());
  chip.session = names_.next(chip.id, std::chrono::system_clock::now());
  chip.endpoint = choice_.pick(Clock::now());
  chip.active = true;
  chip.moving = false;
  const auto wire = provider_.wire_session(chip.session, random_);
  const auto literals =
      provider_.preset().carries_ip_literals ? gateway::IpLiterals::carried : gateway::IpLiterals::refused;
  plane_.open(index, gateway::make_route(chip.session, chip.epoch, chip.endpoint, provider_.render(wire), literals));
  log_.info("assigned",
            {{"chip", chip.id}, {"session", chip.session}, {"endpoint", endpoint_names_.at(chip.endpoint.value())}});
}

void Assignments::wanted(ChipIndex index) {
  const auto& chip = chips_.at(index.value());
  if (!chip.active && !chip.moving) assign(index);
}

void Assignments::endpoint_news(EndpointIndex endpoint, gateway::EndpointNews news) {
  const auto& name = endpoint_names_.at(endpoint.value());
  if (news == gateway::EndpointNews::reachable) {
    choice_.recovered(endpoint);
    log_.info("endpoint_up", {{"endpoint", name}});
    return;
  }
  const auto now = Clock::now();
  // Every shard reports; the first one counts until its backoff has passed.
  if (!choice_.up(endpoint, now)) return;
  choice_.failed(endpoint, now);
  log_.warn("endpoint_down", {{"endpoint", name}});
  // A session stays where it was drawn as long as nothing better is to be had.
  if (!choice_.up(choice_.pick(now), now)) return;
  for (std::uint32_t i = 0; i < chips_.size(); ++i) {
    if (chips_[i].active && chips_[i].endpoint == endpoint) move(ChipIndex(i));
  }
}

// Another endpoint is another exit: what is open is fenced first, so that no byte leaves by two.
void Assignments::move(ChipIndex index) {
  auto& chip = chips_.at(index.value());
  chip.active = false;
  chip.moving = true;
  chip.epoch = Epoch(chip.epoch.value() + 1);
  plane_.fence(index, chip.epoch, ErrorKind::fenced, [this, index] { assign(index); });
}

std::size_t Assignments::active() const {
  return static_cast<std::size_t>(std::ranges::count_if(chips_, [](const Chip& chip) { return chip.active; }));
}

}  // namespace chipgate::lifecycle
