// What a configuration that was read again asks of the life cycle.
#pragma once

#include "chipgate/lifecycle/control.hpp"
#include "chipgate/lifecycle/options.hpp"

#include <string>
#include <vector>

namespace chipgate::lifecycle {

struct Reconfigure {
  LifeOptions life{};
  PortRange ports{};
  std::vector<ChipSpec> added{};    // one that the API has made already becomes the file's
  std::vector<ChipSpec> changed{};  // alias, connect mode and quota; a port is none that changes
  std::vector<ChipId> removed{};
};

struct Reconfigured {
  // A chip whose port was not to be had when the one before it had left, or whose end the ledger does not have yet.
  struct Unfinished {
    ChipId chip;
    std::string message;
  };
  std::vector<Unfinished> unfinished{};
};

}  // namespace chipgate::lifecycle
