// Assignments: gives every chip its session, and moves chips off an endpoint that is down.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/lifecycle/data_plane.hpp"
#include "chipgate/lifecycle/endpoint_choice.hpp"
#include "chipgate/provider/provider.hpp"
#include "chipgate/provider/random.hpp"
#include "chipgate/provider/session.hpp"
#include "chipgate/telemetry/log.hpp"

#include <string>
#include <vector>

namespace chipgate::lifecycle {

// Lives on the control thread. Assignments are in memory and start with the process: the ledger, the looks and the
// life cycle's states will take this class's place behind the same DataPlane.
class Assignments final : public DataPlaneEvents {
 public:
  Assignments(const provider::Provider& provider, std::vector<std::string> endpoint_names, DataPlane& plane,
              telemetry::Log& log, provider::RandomBits random);

  // Chips are known by the order in which they are added.
  ChipIndex add(const ChipId& chip);
  void assign(ChipIndex);
  void assign_all();

  void wanted(ChipIndex) override;
  void endpoint_news(EndpointIndex, gateway::EndpointNews) override;
  // Nothing is looked at here, so no route names an exit, and a failure changes no assignment.
  void gateway_news(ChipIndex, Epoch, const Error&) override {}
  void other_exit(ChipIndex, Epoch, const IpAddress&) override {}
  void same_exit(ChipIndex, Epoch, const IpAddress&) override {}

  std::size_t active() const;
  std::size_t chips() const { return chips_.size(); }
  const SessionIdentifier& session(ChipIndex index) const { return chips_.at(index.value()).session; }
  bool endpoint_healthy(EndpointIndex index) const { return choice_.healthy(index); }

 private:
  struct Chip {
    ChipId id;
    SessionIdentifier session{};
    Epoch epoch{1};
    EndpointIndex endpoint{0};
    bool active = false;
    bool moving = false;  // fenced, and not assigned again yet
  };

  void move(ChipIndex);

  const provider::Provider& provider_;
  std::vector<std::string> endpoint_names_;
  DataPlane& plane_;
  telemetry::Log& log_;
  provider::RandomBits random_;
  provider::SessionNames names_;
  EndpointChoice choice_;
  std::vector<Chip> chips_;
};

}  // namespace chipgate::lifecycle
