// DataPlane: what the life cycle asks of the chips' ports, and what they tell it.
#pragma once

#include "chipgate/base/errors.hpp"
#include "chipgate/base/ids.hpp"
#include "chipgate/gateway/endpoint.hpp"
#include "chipgate/gateway/route.hpp"

#include <functional>

namespace chipgate::lifecycle {

// Called on the control thread; the work is done on the chip's shard.
class DataPlane {
 public:
  virtual ~DataPlane() = default;

  // Admits clients through this route, and lets go those that are held. A route of an older epoch than the port's is
  // dropped.
  virtual void open(ChipIndex, gateway::RoutePtr) = 0;
  // Admits nothing more under epochs below `next`, and resets everything that the chip has open: tunnels, handshakes,
  // held clients, keep-alive connections. `done` is called on the control thread once all of it is closed.
  virtual void fence(ChipIndex, Epoch next, ErrorKind why, std::function<void()> done) = 0;
  // Refuses those that are held now; no assignment can be had for them.
  virtual void refuse(ChipIndex, const Error& why) = 0;
};

// Called on the control thread.
class DataPlaneEvents {
 public:
  // A client is held for want of a route. Once per hold, not per client.
  virtual void wanted(ChipIndex) = 0;
  virtual void endpoint_news(EndpointIndex, gateway::EndpointNews) = 0;

 protected:
  ~DataPlaneEvents() = default;
};

}  // namespace chipgate::lifecycle
