// Drawer: finds a chip an exit of its own.
#pragma once

#include "chipgate/lifecycle/breaker.hpp"
#include "chipgate/lifecycle/chip.hpp"
#include "chipgate/lifecycle/endpoint_choice.hpp"
#include "chipgate/lifecycle/looker.hpp"
#include "chipgate/lifecycle/parts.hpp"
#include "chipgate/provider/session.hpp"
#include "chipgate/telemetry/life_counters.hpp"

#include <vector>

namespace chipgate::lifecycle {

class Journal;

// One for all chips: names, pace and the gateway's health are shared.
class Drawer {
 public:
  Drawer(const Parts& parts, Looker& looker, Journal& journal);

  // A round: sessions are drawn until one has an exit that is free for the chip, or per_round is used up. The route of
  // what was drawn is of this epoch. Ends with ErrorKind::fenced as soon as the chip's epoch is not `while_epoch` any
  // more; what had been taken by then is given back.
  net::Task<Result<Assignment>> round(ChipPtr chip, Epoch while_epoch, Epoch route_epoch, ledger::AssignmentState as);

  // An assignment of an earlier process, or nothing where its credentials are no longer those of the configuration.
  std::optional<Assignment> resume(const ledger::AssignmentRow& row, Epoch epoch) const;

  // What a look, a draw or a client's dial says about the account or the gateway.
  void heard(EndpointIndex endpoint, const Error& error);
  void heard_success(EndpointIndex endpoint);

  EndpointChoice& endpoints() { return choice_; }
  const EndpointChoice& endpoints() const { return choice_; }
  Breaker& breaker() { return breaker_; }
  const Breaker& breaker() const { return breaker_; }

 private:
  struct Candidate {
    Assignment assignment;
    WireSession wire;
    std::optional<WallTime> until;
  };
  struct Session {
    SessionIdentifier identifier;
    WireSession wire;
  };

  net::Task<Result<Session>> new_session(ChipPtr chip);
  net::Task<Result<Candidate>> draw(ChipPtr chip, Epoch route_epoch);
  net::Task<Result<ledger::Taken>> take(ChipPtr chip, Candidate candidate, ledger::AssignmentState as,
                                        ledger::Quarantine quarantine);
  net::Task<Result<Assignment>> take_oldest(ChipPtr chip, std::vector<Candidate> candidates,
                                            ledger::AssignmentState as);
  net::Task<void> give_back(ChipPtr chip, AssignmentId id);
  void count(telemetry::DrawOutcome outcome);
  gateway::RoutePtr route_for(const SessionIdentifier&, const WireSession&, Epoch, EndpointIndex) const;

  const Parts& parts_;
  Looker& looker_;
  Journal& journal_;
  provider::SessionNames names_;
  EndpointChoice choice_;
  Breaker breaker_;
};

}  // namespace chipgate::lifecycle
