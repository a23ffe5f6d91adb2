// Service: drives every chip through its life.
#pragma once

#include "chipgate/ledger/ledger.hpp"
#include "chipgate/lifecycle/chip.hpp"
#include "chipgate/lifecycle/clocks.hpp"
#include "chipgate/lifecycle/control.hpp"
#include "chipgate/lifecycle/data_plane.hpp"
#include "chipgate/lifecycle/drawer.hpp"
#include "chipgate/lifecycle/journal.hpp"
#include "chipgate/lifecycle/looker.hpp"
#include "chipgate/lifecycle/options.hpp"
#include "chipgate/lifecycle/parts.hpp"
#include "chipgate/lifecycle/reconfigure.hpp"
#include "chipgate/telemetry/source.hpp"

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace chipgate::lifecycle {

struct ServiceOptions {
  LifeOptions life;
  PortRange ports;
  std::string preset;
  // What clients are pointed at: "127.0.0.1".
  std::string proxy_host = "127.0.0.1";
  std::vector<std::string> endpoint_names;
  std::string instance;
  // How long history is kept; 0 is for ever.
  Milliseconds retention{0};
  WallClock wall_clock = std::chrono::system_clock::now;
};

// Lives on the control thread. The plane, the ledger, the provider and the log outlive it.
class Service final : public Control, public DataPlaneEvents, public telemetry::LifeSource {
 public:
  Service(boost::asio::io_context& control, ServiceOptions options, DataPlane& plane, ledger::Ledger& ledger,
          const provider::Provider& provider, telemetry::Log& log, provider::RandomBits random);

  // Before the io_context runs: binds the ports of the configured chips and of those that the ledger knows. Throws
  // std::runtime_error where a port cannot be had.
  void begin(const std::vector<ChipSpec>& configured, const ledger::Restored& restored);
  // Once clients are accepted.
  void start();
  // Writes what is counted, and calls back; nothing new is begun.
  void stop(std::function<void()> done);

  // What the file says now of chips and of their lives, while everything runs. Refused as a whole, or taken on. Fences
  // and closes what is removed before it binds what takes its place. One at a time.
  net::Task<Wish<Reconfigured>> reconfigure(Reconfigure wanted);

  // --- Control
  std::vector<ChipView> chips() const override;
  std::optional<ChipView> chip(const ChipId&) const override;
  net::Task<Wish<PutAnswer>> put(ChipSpec) override;
  net::Task<Wish<Released>> remove(ChipId) override;
  net::Task<ConnectAnswer> connect(ChipId, Milliseconds wait, Urgency) override;
  net::Task<Wish<Released>> release(ChipId, std::optional<AssignmentId>) override;
  net::Task<ConnectAnswer> rotate(ChipId, std::optional<AssignmentId>, Milliseconds wait, Urgency) override;
  net::Task<Wish<VerifyAnswer>> verify(ChipId) override;
  net::Task<Wish<std::optional<IpAddress>>> report(ChipId, Report) override;
  net::Task<std::vector<TunnelView>> tunnels(std::optional<ChipId>) override;
  net::Task<bool> cut(TunnelId) override;
  GatewayView gateway() const override;
  void subscribe(EventListener& listener) override { journal_.subscribe(listener); }
  void unsubscribe(EventListener& listener) override { journal_.unsubscribe(listener); }

  // --- DataPlaneEvents
  void wanted(ChipIndex) override;
  void endpoint_news(EndpointIndex, gateway::EndpointNews) override;
  void gateway_news(ChipIndex, Epoch, const Error&) override;
  void other_exit(ChipIndex, Epoch, const IpAddress& seen) override;
  void same_exit(ChipIndex, Epoch, const IpAddress& seen) override;

  // --- for metrics
  std::size_t count(State) const;
  std::vector<telemetry::StateCount> chip_states() const override;
  std::uint64_t assignments_active() const override { return count(State::active) + count(State::renewing); }
  const telemetry::LifeCounters& counters() const override { return counters_; }
  // From what echoes and replies said, never from the ledger.
  std::uint64_t duplicates() const override;
  std::uint64_t crowded_chips() const override;
  bool looking() const override { return options_.life.verify.looking == Looking::on; }
  bool breaker_open() const override { return drawer_.breaker().error().has_value(); }
  std::vector<telemetry::ChipValue> verified_at() const override;
  std::vector<telemetry::ChipValue> quota_used() const override;
  bool endpoint_up(EndpointIndex index) const { return drawer_.endpoints().healthy(index); }

 private:
  // --- the machine
  void fire(const ChipPtr& chip, Event event);
  void act(const ChipPtr& chip, Action action);
  void admit(const ChipPtr& chip);
  void refuse_waiting(const ChipPtr& chip, Error why);
  void tell_waiting(const ChipPtr& chip, TimePoint now);
  TimePoint next_try(const ChipPtr& chip, TimePoint by_itself, TimePoint soonest);
  void hurry(const ChipPtr& chip);

  void leave_endpoint(const ChipPtr& chip);

  // --- what takes time
  net::Task<void> draw_round(ChipPtr chip, Epoch epoch);
  void round_failed(const ChipPtr& chip, const Error& error);
  net::Task<void> look_at(ChipPtr chip, Epoch epoch);
  // `answered_before`: when a look through the same endpoint had last seen an exit as this one began.
  void looked(const ChipPtr& chip, const Verdict& verdict, TimePoint answered_before);
  void count_look(const Verdict& verdict);
  bool is_mute_alone(const ChipPtr& chip, const std::optional<Error>& error, TimePoint answered_before);
  // Remembers where the chip was seen, and tells where another one is there too.
  void seen_at(const ChipPtr& chip, const IpAddress& address);
  void same(const ChipPtr& chip);
  void moved(const ChipPtr& chip, const IpAddress& seen, std::string echo);
  net::Task<void> record_move(ChipPtr chip, ledger::Observe observe);
  net::Task<void> end(ChipPtr chip);
  net::Task<void> announce_closing(ChipPtr chip, AssignmentId id, std::shared_ptr<bool> done);
  net::Task<void> close_row(ChipPtr chip, AssignmentId id, Ending ending, ledger::Traffic traffic);
  net::Task<void> renew(ChipPtr chip);
  bool renews(const Chip&, Epoch) const;
  void renewal_failed(const ChipPtr& chip, Epoch epoch, const Error& why);
  net::Task<std::optional<Error>> take_over(ChipPtr chip, Epoch epoch);
  net::Task<void> change_places(ChipPtr chip);
  TimePoint latest_change(const Chip&) const;
  net::Task<bool> await_quiet(ChipPtr chip, Epoch epoch);
  net::Task<void> forget(ChipPtr chip);

  // --- time
  void tick();
  // What is due for it. At every tick, and at once where somebody waits for it.
  void attend(const ChipPtr& chip, TimePoint now);
  void attend_look(const ChipPtr& chip, TimePoint now);
  bool has_its_turn(const ChipPtr& chip, TimePoint now);
  void take_ticket(const ChipPtr& chip);
  TimePoint behind_breaker(TimePoint until);
  void begin(const ChipPtr& chip, Chip::Busy& what, net::Task<void> (Service::*work)(ChipPtr, Epoch));
  void keep(const ChipPtr& chip, TimePoint now);
  void clock_jumped(Milliseconds by);
  net::Task<void> postpone_quarantines(Milliseconds by, WallTime ended_before);
  void heed_retention(TimePoint now);
  net::Task<void> retain();
  net::Task<void> flush_traffic();
  static bool has_used(const Chip& chip, std::uint64_t percent);  // of its quota
  void heed_quota(const ChipPtr& chip);
  void heed_change(const ChipPtr& chip);
  void survey_crowds();

  // --- restart
  void restore(const ChipPtr& chip, const ledger::ChipRow& row);
  void restore_row(const ChipPtr& chip, const ledger::AssignmentRow& row);
  void finish(const ChipPtr& chip, const ledger::AssignmentRow& row, std::string reason);
  net::Task<void> finish_row(ChipPtr chip, ledger::AssignmentRow row, std::string reason);
  net::Task<void> restore_traffic();
  net::Task<void> record_chip(ChipPtr chip);
  net::Task<void> write_chip(ChipPtr chip);
  net::Task<void> record_row(ledger::ChipRow row);
  net::Task<bool> put_row(ledger::ChipRow row);  // whether the ledger has it
  // Gives up its port and alias, which may be another's soon.
  void vacate(const ChipPtr& chip);
  ChipPtr add(ChipSpec spec, ledger::ChipOrigin origin);

  // --- reload
  std::optional<Denied> unfit(const Reconfigure&) const;
  Result<ChipPtr> listen_for(ChipSpec spec);
  Wish<std::vector<ChipPtr>> bind_free(const Reconfigure&);
  net::Task<Reconfigured> remove_all(std::vector<ChipId> ids);
  void take_on(const ChipPtr& chip, ChipSpec spec);
  void adopt(const ChipPtr& chip, ChipSpec spec);
  void take_on(const LifeOptions& life);
  void weigh_quota(const ChipPtr& chip);
  void welcome(const ChipPtr& chip);

  // --- wishes
  ChipPtr find(const ChipId&) const;
  ChipPtr find(ChipIndex) const;
  std::optional<Denied> complaint(const ChipSpec&) const;
  net::Task<Wish<PutAnswer>> create(ChipSpec spec);
  net::Task<Wish<PutAnswer>> change(ChipPtr chip, ChipSpec spec);
  Result<ChipIndex> bind_beside(const Chip&, std::uint16_t port);
  void move_to(const ChipPtr& chip, ChipIndex place);
  std::optional<std::uint16_t> free_port() const;
  // Until the chip is active under another assignment than the one before.
  net::Task<ConnectAnswer> await_active(ChipPtr chip, std::optional<AssignmentId> before, TimePoint until);
  std::optional<Denied> not_current(const Chip&, std::optional<AssignmentId>) const;
  net::Task<Wish<Released>> await_ended(ChipPtr chip, Released answer);
  void begin_removal(const ChipPtr& chip);
  net::Task<Result<void>> write_arming(ChipPtr chip, ledger::Arming arming);
  net::Task<Result<void>> record_arming(ChipPtr chip);
  net::Task<void> insist_on_arming(ChipPtr chip);
  net::Task<std::optional<Denied>> arm(ChipPtr chip);
  net::Task<Result<ledger::Exits>> exits_of(ChipPtr chip, std::optional<AssignmentId> id);
  ChipView view(const Chip&) const;
  bool draws_by_itself(const Chip&) const;
  // Without any client.
  bool connects_by_itself(const Chip&) const;
  void connect_if_wished(const ChipPtr& chip);
  ledger::Traffic carried(const Chip&) const;
  ledger::ChipRow row_of(const Chip&) const;

  ServiceOptions options_;
  provider::RandomBits random_;
  net::TaskGroup tasks_;
  telemetry::LifeCounters counters_;
  Clocks clocks_;
  WallTime reached_{};  // the latest that the wall clock has been, or that the ledger has written
  FleetPace pace_;
  Parts parts_;
  Journal journal_;
  Looker looker_;
  Drawer drawer_;
  boost::asio::steady_timer ticker_;
  // By id, as lists are told; by index, as the plane speaks of them. Empty places are chips that are gone.
  std::map<ChipId, ChipPtr> chips_;
  std::vector<ChipPtr> by_index_;
  std::vector<ChipPtr> vacating_;
  std::map<EndpointIndex, TimePoint> answered_;  // when a look through it last saw an exit
  TimePoint last_second_{};
  TimePoint last_flush_{};
  TimePoint next_retention_{};
  std::string day_{};
  bool flushing_ = false;
  bool traffic_known_ = false;  // what earlier processes carried
  bool stopping_ = false;
};

}  // namespace chipgate::lifecycle
