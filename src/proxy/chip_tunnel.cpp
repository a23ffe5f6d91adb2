// Counting a tunnel's bytes and writing its line.
#include "chipgate/proxy/chip_tunnel.hpp"

#include "chipgate/telemetry/access_line.hpp"

#include <system_error>

namespace chipgate::proxy {

std::string_view name(protocol::ClientProtocol protocol) {
  switch (protocol) {
    case protocol::ClientProtocol::http: return "connect";
    case protocol::ClientProtocol::socks5: return "socks5";
    case protocol::ClientProtocol::socks4: return "socks4a";
  }
  return "connect";
}

bool is_whatsapp(std::string_view target) { return target == "web.whatsapp.com:443"; }

ChipTunnel::ChipTunnel(Port& port, TunnelPlace place, net::EndPtr client, net::EndPtr upstream, TunnelFacts facts)
    : Tunnel(std::move(client), std::move(upstream)),
      port_(port),
      place_(std::move(place)),
      facts_(std::move(facts)),
      id_(port.parts().tunnel_ids.next()),
      opened_(Clock::now()) {
  port_.add(*this);
  port_.counters().tunnels_opened.increment();
  port_.counters().tunnels_open.increment();
}

void ChipTunnel::on_delivered(relay::Direction direction, std::size_t bytes) {
  const bool up = direction == relay::Direction::up;
  (up ? bytes_up_ : bytes_down_) += bytes;
  (up ? port_.counters().bytes_up : port_.counters().bytes_down).add(bytes);
  if (facts_.elsewhere) port_.counters().bytes_elsewhere.add(bytes);
  port_.counters().used(last_progress());
}

lifecycle::TunnelView ChipTunnel::view() const {
  const auto now = Clock::now();
  lifecycle::TunnelView view;
  view.id = id_;
  view.chip = port_.index();
  view.chip_id = port_.chip();
  view.target = facts_.target;
  view.session = facts_.route->session;
  view.opened_at = std::chrono::system_clock::now() - (now - opened_);
  view.bytes_up = bytes_up_;
  view.bytes_down = bytes_down_;
  view.idle = std::chrono::duration_cast<Milliseconds>(now - last_progress());
  return view;
}

void ChipTunnel::on_end(ErrorKind how, int error) {
  const auto now = Clock::now();
  const auto open = now - opened_;
  port_.counters().used(now);
  if (how == ErrorKind::first_reply_timeout) port_.gateway_failed(facts_.route, {how});
  port_.counters().tunnels_open.decrement();
  port_.counters().tunnels_closed.increment(how);
  port_.parts().counters.tunnel_duration.observe(open);
  const auto detail = error == 0 ? std::string() : std::generic_category().message(error);
  telemetry::AccessLine line;
  line.outcome = telemetry::Outcome::established;
  line.ended = how;
  line.detail = detail;
  line.chip = port_.chip();
  line.session = facts_.route->session.value();
  line.protocol = name(facts_.protocol);
  line.target = facts_.target;
  line.endpoint = port_.parts().dialer.endpoint(facts_.route->endpoint).name();
  line.exit_ip = facts_.exit_address;
  line.bytes_up = bytes_up_;
  line.bytes_down = bytes_down_;
  line.stages = facts_.stages;
  line.open = open;
  telemetry::write(port_.parts().log, line);
  port_.removed(*this);
}

}  // namespace chipgate::proxy
