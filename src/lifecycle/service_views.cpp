// What is told of chips.
#include "chipgate/lifecycle/service.hpp"

#include <algorithm>

namespace chipgate::lifecycle {
namespace {

WallTime wall(TimePoint at) {
  return std::chrono::system_clock::now() + std::chrono::duration_cast<WallTime::duration>(at - Clock::now());
}

}  // namespace

ChipPtr Service::find(const ChipId& id) const {
  const auto found = chips_.find(id);
  return found == chips_.end() ? nullptr : found->second;
}

ChipPtr Service::find(ChipIndex index) const {
  return index.value() < by_index_.size() ? by_index_[index.value()] : nullptr;
}

std::vector<ChipView> Service::chips() const {
  std::vector<ChipView> views;
  views.reserve(chips_.size());
  for (const auto& [id, chip] : chips_) views.push_back(view(*chip));
  return views;
}

std::optional<ChipView> Service::chip(const ChipId& id) const {
  const auto chip = find(id);
  if (!chip) return std::nullopt;
  return view(*chip);
}

ChipView Service::view(const Chip& chip) const {
  const auto shown = [&](const std::optional<Assignment>& from) -> std::optional<AssignmentView> {
    if (!from) return std::nullopt;
    return AssignmentView{from->id,          from->session,
                          from->exits,       options_.endpoint_names.at(from->endpoint.value()),
                          from->assigned_at, from->verified_at};
  };
  ChipView view{.spec = chip.spec};
  view.arming = chip.arming;
  view.proxy_url = "http://" + options_.proxy_host + ":" + std::to_string(chip.spec.port);
  view.state = state_of(chip.phase);
  view.since = chip.since;
  view.assignment = shown(chip.current);
  view.pending = shown(chip.successor);
  view.trouble = chip.trouble;
  if (chip.phase == Phase::acquiring && chip.retry_at && chip.trouble) view.retry_at = wall(*chip.retry_at);
  const auto usage = parts_.plane.usage(chip.index);
  view.tunnels_open = usage.tunnels_open;
  view.clients_held = usage.clients_held;
  if (chip.current && usage.tunnels_open == 0) {
    view.quiet_since = wall(std::max(usage.last_used, chip.current->opened));
  }
  // What is not in the ledger yet counts already.
  const auto& meter = chip.meter;
  const auto clients = carried(chip);
  const ledger::Traffic fresh{clients.up - meter.clients_flushed.up + meter.own.up - meter.own_flushed.up,
                              clients.down - meter.clients_flushed.down + meter.own.down - meter.own_flushed.down};
  view.traffic_today = {meter.today.up + fresh.up, meter.today.down + fresh.down};
  view.traffic_month = {meter.month.up + fresh.up, meter.month.down + fresh.down};
  return view;
}

ledger::ChipRow Service::row_of(const Chip& chip) const {
  ledger::ChipRow row{.id = chip.spec.id};
  row.alias = chip.spec.alias;
  row.port = chip.spec.port;
  row.connect = chip.spec.connect;
  row.arming = chip.arming;
  row.origin = chip.origin;
  row.quota = chip.spec.quota;
  row.created_at = chip.since;
  return row;
}

bool Service::connects_by_itself(const Chip& chip) const {
  return chip.spec.connect != ledger::ConnectMode::on_demand && chip.arming == ledger::Arming::armed;
}

// Whether a client alone may begin a draw.
bool Service::draws_by_itself(const Chip& chip) const {
  return chip.spec.connect != ledger::ConnectMode::manual && chip.arming == ledger::Arming::armed;
}

GatewayView Service::gateway() const {
  GatewayView view;
  view.preset = options_.preset;
  for (std::uint32_t i = 0; i < options_.endpoint_names.size(); ++i) {
    view.endpoints.push_back({options_.endpoint_names[i], drawer_.endpoints().healthy(EndpointIndex(i))});
  }
  view.account = drawer_.breaker().error();
  if (view.account) view.retry_at = wall(drawer_.breaker().retry_at());
  view.draws_waiting = count(State::acquiring);
  return view;
}

std::size_t Service::count(State state) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(chips_, [state](const auto& entry) { return state_of(entry.second->phase) == state; }));
}

}  // namespace chipgate::lifecycle
