// Whether this chipgate should be given clients, as /readyz tells it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace chipgate::admin {

enum class Ready : std::uint8_t { no, yes };

// One thing that was looked at: "ports" is "bound", "gateway" is "down".
struct ReadinessPart {
  std::string name;
  std::string state;
};

struct Readiness {
  Ready ready = Ready::no;
  std::vector<ReadinessPart> parts;  // some only stand beside the verdict, like the gateway's state
};

// Implemented by whoever wires the process together; asked on the control thread.
class ReadinessSource {
 public:
  virtual ~ReadinessSource() = default;
  virtual Readiness readiness() const = 0;
};

}  // namespace chipgate::admin
