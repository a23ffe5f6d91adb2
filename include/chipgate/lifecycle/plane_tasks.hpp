// What the data plane answers by callbacks, as coroutines of the control thread.
#pragma once

#include "chipgate/lifecycle/data_plane.hpp"
#include "chipgate/net/task.hpp"

#include <vector>

namespace chipgate::lifecycle {

net::Task<Looked> look(DataPlane&, ChipIndex, gateway::RoutePtr, protocol::HttpUrl echo, Milliseconds timeout);
net::Task<void> fence(DataPlane&, ChipIndex, Epoch next, ErrorKind why);
net::Task<void> close(DataPlane&, ChipIndex);
net::Task<std::vector<TunnelView>> tunnels(DataPlane&);
net::Task<bool> cut(DataPlane&, TunnelId);

}  // namespace chipgate::lifecycle
