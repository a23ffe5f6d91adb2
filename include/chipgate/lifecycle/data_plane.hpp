// DataPlane: what the life cycle asks of the chips' ports, and what they tell it.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/duration.hpp"
#include "chipgate/base/errors.hpp"
#include "chipgate/base/ids.hpp"
#include "chipgate/base/result.hpp"
#include "chipgate/gateway/endpoint.hpp"
#include "chipgate/gateway/route.hpp"
#include "chipgate/protocol/authority.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace chipgate::lifecycle {

// Unique as long as the process lives.
using TunnelId = Strong<struct TunnelIdTag, std::uint64_t>;

struct TunnelView {
  TunnelId id{};
  ChipIndex chip{};
  std::string chip_id{};
  std::string target{};  // "web.whatsapp.com:443"
  SessionIdentifier session{};
  WallTime opened_at{};
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  Milliseconds idle{0};  // since the last byte either way
};

// What a look costs counts as chipgate's own traffic.
struct Looked {
  Result<IpAddress> address;
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
};

// How a chip has been used; counters that only grow since the chip was made known.
struct Usage {
  std::uint64_t bytes_up = 0;  // of its clients
  std::uint64_t bytes_down = 0;
  std::int64_t tunnels_open = 0;  // plain connections that carry a request among them
  std::int64_t clients_held = 0;
  TimePoint last_used{};  // the last byte carried, or the last tunnel's end; the beginning of time for never
};

// More than one WhatsApp session through one port: open tunnels to web.whatsapp.com:443 that are older than 90 s.
struct Crowd {
  ChipIndex chip{};
  std::uint32_t whatsapp_sessions = 0;
};

// Called on the control thread; the work is done on the chip's shard, and every callback is called on the control
// thread again, once, unless the plane is destroyed first.
class DataPlane {
 public:
  virtual ~DataPlane() = default;

  // Binds a port for the chip; 0 lets the kernel choose. Also while the plane runs. The error is for a person; its
  // detail is errno's text.
  virtual Result<std::uint16_t> listen(ChipIndex, const ChipId&, std::uint16_t port) = 0;
  // How many WhatsApp sessions the chip may have at a time; 0 is no limit, nothing is what all chips have.
  virtual void limit_whatsapp(ChipIndex, std::optional<std::uint32_t> most) = 0;
  // Closes the port for good. The chip has been fenced before; what came since is reset. Nothing may be asked for this
  // index any more; a chip of the same name gets another.
  virtual void close(ChipIndex, std::function<void()> done) = 0;

  // Admits clients through this route, and lets go those that are held. A route of an older epoch than the port's is
  // dropped.
  virtual void open(ChipIndex, gateway::RoutePtr) = 0;
  // Takes the route away and fences nothing: new clients are held, what is open goes on.
  virtual void withhold(ChipIndex) = 0;
  // Admits nothing more under epochs below `next`, and resets everything that the chip has open: tunnels, handshakes,
  // held clients, keep-alive connections, looks. `done` is called once all of it is closed.
  virtual void fence(ChipIndex, Epoch next, ErrorKind why, std::function<void()> done) = 0;
  // Refuses those that are held now; no assignment can be had for them.
  virtual void refuse(ChipIndex, const Error& why) = 0;
  // Why those that are held wait, for when they have waited in vain.
  virtual void explain(ChipIndex, const Error& why) = 0;

  // Asks the echo which address it sees, through the route, by the dialing that clients use. The route need not be
  // open. Ends with ErrorKind::fenced where its epoch is older than the port's, or is fenced meanwhile.
  virtual void look(ChipIndex, gateway::RoutePtr, protocol::HttpUrl echo, Milliseconds timeout,
                    std::function<void(Looked)> done) = 0;

  virtual Usage usage(ChipIndex) const = 0;
  virtual void tunnels(std::function<void(std::vector<TunnelView>)> done) = 0;
  virtual void cut(TunnelId, std::function<void(bool)> done) = 0;
  // The chips with more than one.
  virtual void crowds(std::function<void(std::vector<Crowd>)> done) = 0;
};

// Called on the control thread. News under an epoch that is past is dropped by whoever hears it.
class DataPlaneEvents {
 public:
  // A client is held for want of a route. Once for all that are held together; told again after `refuse` or a fence.
  virtual void wanted(ChipIndex) = 0;
  virtual void endpoint_news(EndpointIndex, gateway::EndpointNews) = 0;
  // A CONNECT through the open route ended so at the gateway: the session's exit or the account may be gone. At most
  // once a second for a chip.
  virtual void gateway_news(ChipIndex, Epoch, const Error&) = 0;
  // A reply named an address that is none of the route's. Nothing of that client was let through.
  virtual void other_exit(ChipIndex, Epoch, const IpAddress& seen) = 0;
  // A reply named the route's own address: as good as a look. At most once a second for a chip.
  virtual void same_exit(ChipIndex, Epoch, const IpAddress& seen) = 0;

 protected:
  ~DataPlaneEvents() = default;
};

}  // namespace chipgate::lifecycle
