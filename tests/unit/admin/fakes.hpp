// A Control and a Ledger that tests fill by hand.
#pragma once

#include "chipgate/admin/api.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace chipgate::admin {

using lifecycle::State;

inline ChipId chip_id(std::string_view text) { return ChipId::parse(text).value(); }
inline WallTime at(std::string_view text) { return parse_rfc3339(text).value(); }
inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

inline lifecycle::ChipView released_chip(std::string_view id, std::uint16_t port) {
  lifecycle::ChipView chip{.spec = {.id = chip_id(id)}};
  chip.spec.port = port;
  chip.proxy_url = "http://127.0.0.1:" + std::to_string(port);
  chip.since = at("2026-01-02T03:04:05Z");
  return chip;
}

inline lifecycle::ChipView active_chip(std::string_view id, std::uint16_t port, std::int64_t assignment) {
  auto chip = released_chip(id, port);
  chip.state = State::active;
  lifecycle::AssignmentView view;
  view.id = AssignmentId(assignment);
  view.session = SessionIdentifier("chip-" + std::string(id) + "-1767323045");
  view.exits.v4 = ip("203.0.113.7");
  view.endpoint = "http://gate.example:3120";
  view.assigned_at = view.verified_at = at("2026-01-02T03:04:05Z");
  chip.assignment = view;
  return chip;
}

// Answers what it was told to; remembers what it was asked.
class FakeControl : public lifecycle::Control {
 public:
  std::vector<lifecycle::ChipView> chips() const override {
    std::vector<lifecycle::ChipView> all;
    for (const auto& [id, chip] : chips_by_id) all.push_back(chip);
    return all;
  }
  std::optional<lifecycle::ChipView> chip(const ChipId& id) const override {
    const auto found = chips_by_id.find(id);
    return found == chips_by_id.end() ? std::nullopt : std::optional(found->second);
  }
  net::Task<lifecycle::Wish<lifecycle::PutAnswer>> put(lifecycle::ChipSpec spec) override {
    asked.push_back("put " + spec.id.value() + " alias=" + spec.alias + " port=" + std::to_string(spec.port) +
                    " connect=" + std::to_string(static_cast<int>(spec.connect)) +
                    " quota=" + std::to_string(spec.quota.day) + "/" + std::to_string(spec.quota.month));
    if (denied) co_return *denied;
    const bool known = chips_by_id.contains(spec.id);
    auto& chip = chips_by_id.insert_or_assign(spec.id, released_chip(spec.id.value(), spec.port)).first->second;
    chip.spec = spec;
    co_return lifecycle::PutAnswer{known ? lifecycle::Put::changed : lifecycle::Put::created, chip};
  }
  net::Task<lifecycle::Wish<lifecycle::Released>> remove(ChipId id) override {
    asked.push_back("remove " + id.value());
    if (denied) co_return *denied;
    if (chips_by_id.erase(id) == 0) co_return unknown();
    co_return lifecycle::Released{AssignmentId(41)};
  }
  net::Task<lifecycle::ConnectAnswer> connect(ChipId id, Milliseconds wait, lifecycle::Urgency urgency) override {
    asked.push_back("connect " + id.value() + " " + format_duration(wait) + (forced(urgency) ? " forced" : ""));
    co_await pass_gate();
    if (denied) co_return *denied;
    const auto found = chips_by_id.find(id);
    if (found == chips_by_id.end()) co_return unknown();
    if (on_connect) on_connect(found->second);
    finished.push_back("connect " + id.value());
    co_return found->second;
  }
  net::Task<lifecycle::Wish<lifecycle::Released>> release(ChipId id, std::optional<AssignmentId> assignment) override {
    asked.push_back("release " + id.value() + " " + text(assignment));
    if (denied) co_return *denied;
    const auto found = chips_by_id.find(id);
    if (found == chips_by_id.end()) co_return unknown();
    lifecycle::Released released{.recorded = recorded};
    if (found->second.assignment) released.assignment = found->second.assignment->id;
    found->second.state = State::released;
    found->second.assignment.reset();
    co_return released;
  }
  net::Task<lifecycle::ConnectAnswer> rotate(ChipId id, std::optional<AssignmentId> assignment, Milliseconds wait,
                                             lifecycle::Urgency urgency) override {
    asked.push_back("rotate " + id.value() + " " + text(assignment) + " " + format_duration(wait) +
                    (forced(urgency) ? " forced" : ""));
    if (denied) co_return *denied;
    const auto found = chips_by_id.find(id);
    if (found == chips_by_id.end()) co_return unknown();
    if (on_connect) on_connect(found->second);
    co_return found->second;
  }
  net::Task<lifecycle::Wish<lifecycle::VerifyAnswer>> verify(ChipId id) override {
    asked.push_back("verify " + id.value());
    if (denied) co_return *denied;
    if (!chips_by_id.contains(id)) co_return unknown();
    co_return looked;
  }
  net::Task<lifecycle::Wish<std::optional<IpAddress>>> report(ChipId id, lifecycle::Report report) override {
    asked.push_back("report " + id.value() + " " + report.kind + " '" + report.note + "' " + text(report.assignment));
    if (denied) co_return *denied;
    if (report.kind == "banned") co_return std::optional(ip("203.0.113.7"));
    co_return std::optional<IpAddress>();
  }
  net::Task<std::vector<lifecycle::TunnelView>> tunnels(std::optional<ChipId> chip) override {
    std::vector<lifecycle::TunnelView> found;
    for (const auto& tunnel : open_tunnels) {
      if (!chip || tunnel.chip_id == chip->value()) found.push_back(tunnel);
    }
    co_return found;
  }
  net::Task<bool> cut(lifecycle::TunnelId id) override {
    co_return std::erase_if(open_tunnels, [id](const auto& tunnel) { return tunnel.id == id; }) > 0;
  }
  lifecycle::GatewayView gateway() const override { return gateway_view; }
  void subscribe(lifecycle::EventListener& listener) override { listeners.push_back(&listener); }
  void unsubscribe(lifecycle::EventListener& listener) override { std::erase(listeners, &listener); }

  void tell(const ledger::EventRow& event) {
    for (auto* const listener : listeners) listener->on_event(event);
  }

  std::map<ChipId, lifecycle::ChipView> chips_by_id;
  std::vector<lifecycle::TunnelView> open_tunnels;
  lifecycle::GatewayView gateway_view{"smartproxy", {{"http://gate.example:3120", true}}};
  std::optional<lifecycle::Denied> denied;
  lifecycle::Recorded recorded = lifecycle::Recorded::yes;
  lifecycle::VerifyAnswer looked{lifecycle::LookVerdict::same, ip("203.0.113.7"), {}};
  std::function<void(lifecycle::ChipView&)> on_connect;
  std::vector<std::string> asked;
  std::vector<std::string> finished;
  std::vector<lifecycle::EventListener*> listeners;
  // While it is there, `connect` waits until it is cancelled.
  std::shared_ptr<boost::asio::steady_timer> gate;

 private:
  static lifecycle::Denied unknown() { return {lifecycle::Denial::unknown_chip, "there is no chip of this id", "id"}; }
  static bool forced(lifecycle::Urgency urgency) { return urgency == lifecycle::Urgency::forced; }
  static std::string text(const std::optional<AssignmentId>& id) { return id ? std::to_string(id->value()) : "-"; }

  net::Task<void> pass_gate() {
    const auto held = gate;
    if (!held) co_return;
    try {
      co_await held->async_wait(net::use_task);
    } catch (const boost::system::system_error&) {  // opened
    }
  }
};

// Keeps what the API reads of a ledger, and refuses all of it where it is told to.
class FakeLedger : public ledger::Ledger {
 public:
  using Nothing = Result<void>;
  net::Task<Result<ledger::PutChipAnswer>> put_chip(ledger::ChipRow) override { co_return broken(); }
  net::Task<Result<bool>> arm(ChipId, ledger::Arming) override { co_return broken(); }
  net::Task<Nothing> delete_chip(ChipId, WallTime) override { co_return broken(); }
  net::Task<Result<ledger::Issued>> issue(ledger::Issue) override { co_return broken(); }
  net::Task<Nothing> settle(SessionIdentifier, ledger::IdentifierOutcome, std::optional<IpAddress>) override {
    co_return broken();
  }
  net::Task<Result<ledger::Taken>> take(ledger::Take) override { co_return broken(); }
  net::Task<Nothing> closing(AssignmentId, WallTime, std::string) override { co_return broken(); }
  net::Task<Nothing> close(ledger::Close) override { co_return broken(); }
  net::Task<Nothing> swap(ledger::Swap) override { co_return broken(); }
  net::Task<Nothing> verified(AssignmentId, WallTime) override { co_return broken(); }
  net::Task<Nothing> observe(ledger::Observe) override { co_return broken(); }
  net::Task<Nothing> postpone_quarantines(Milliseconds, WallTime) override { co_return broken(); }
  net::Task<Nothing> add_traffic(std::vector<ledger::TrafficRow>) override { co_return broken(); }
  net::Task<Result<ledger::EventRow>> append(ledger::EventRow) override { co_return broken(); }
  net::Task<Nothing> retain(ledger::Retention) override { co_return broken(); }

  net::Task<Nothing> deny(ledger::DeniedExit row) override {
    if (!works) co_return broken();
    std::erase_if(denied_rows, [&](const auto& old) { return old.address == row.address; });
    denied_rows.push_back(row);
    co_return Nothing();
  }
  net::Task<Result<bool>> allow(IpAddress address) override {
    if (!works) co_return broken();
    co_return std::erase_if(denied_rows, [&](const auto& old) { return old.address == address; }) > 0;
  }
  net::Task<Result<std::vector<ledger::HistoryRow>>> assignments(ledger::AssignmentFilter filter) override {
    if (!works) co_return broken();
    asked_for = filter;
    std::vector<ledger::HistoryRow> found;
    for (const auto& row : history) {
      const bool before = filter.before == 0 || row.row.id.value() < filter.before;
      if (before && found.size() < filter.limit) found.push_back(row);
    }
    co_return found;
  }
  net::Task<Result<std::vector<ledger::EventRow>>> events(ledger::EventFilter filter) override {
    if (!works) co_return broken();
    std::vector<ledger::EventRow> found;
    for (const auto& row : event_rows) {
      if (row.id > filter.after && (!filter.chip || row.chip == filter.chip)) found.push_back(row);
    }
    const auto extra = static_cast<std::ptrdiff_t>(found.size() - std::min(found.size(), filter.limit));
    if (filter.end == ledger::EventFilter::End::newest) {
      found.erase(found.begin(), found.begin() + extra);
    } else {
      found.erase(found.end() - extra, found.end());
    }
    co_return found;
  }
  net::Task<Result<std::vector<ledger::TrafficRow>>> traffic(std::optional<ChipId> chip, std::string from,
                                                             std::string to) override {
    if (!works) co_return broken();
    traffic_asked = (chip ? chip->value() : "-") + " " + from + " " + to;
    co_return traffic_rows;
  }
  net::Task<Result<std::vector<ledger::DeniedExit>>> denied() override {
    if (!works) co_return broken();
    co_return denied_rows;
  }
  bool writable() const override { return works; }
  ledger::Writes writes() const override { return {}; }

  bool works = true;
  ledger::AssignmentFilter asked_for;
  std::string traffic_asked;
  std::vector<ledger::HistoryRow> history;
  std::vector<ledger::EventRow> event_rows;
  std::vector<ledger::TrafficRow> traffic_rows;
  std::vector<ledger::DeniedExit> denied_rows;

 private:
  static Error broken() { return {ErrorKind::ledger_unavailable, "disk full"}; }
};

}  // namespace chipgate::admin
