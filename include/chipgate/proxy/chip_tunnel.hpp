// ChipTunnel: a tunnel of a chip, and what its line in the log will say.
#pragma once

#include "chipgate/gateway/route.hpp"
#include "chipgate/protocol/sniff.hpp"
#include "chipgate/proxy/port.hpp"
#include "chipgate/relay/tunnel.hpp"
#include "chipgate/telemetry/stage.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace chipgate::proxy {

// What is known of a tunnel when it opens.
struct TunnelFacts {
  gateway::RoutePtr route;
  std::string target;
  telemetry::StageTimes stages;
  std::optional<IpAddress> exit_address;
  protocol::ClientProtocol protocol;
  bool elsewhere;  // no WhatsApp client needs the target
};

// What a client's way of speaking is called in the log.
std::string_view name(protocol::ClientProtocol protocol);

// Where a WhatsApp client keeps its session; its media goes elsewhere.
bool is_whatsapp(std::string_view target);

class ChipTunnel final : public relay::Tunnel, public OpenHook {
 public:
  ChipTunnel(Port& port, TunnelPlace place, net::EndPtr client, net::EndPtr upstream, TunnelFacts facts);

  lifecycle::TunnelId id() const { return id_; }
  TimePoint opened() const { return opened_; }
  bool leads_to_whatsapp() const { return is_whatsapp(facts_.target); }
  lifecycle::TunnelView view() const;

 private:
  void on_delivered(relay::Direction direction, std::size_t bytes) override;
  void on_end(ErrorKind how, int error) override;

  Port& port_;
  TunnelPlace place_;
  TunnelFacts facts_;
  lifecycle::TunnelId id_;
  TimePoint opened_;
  std::uint64_t bytes_up_ = 0;
  std::uint64_t bytes_down_ = 0;
};

}  // namespace chipgate::proxy
