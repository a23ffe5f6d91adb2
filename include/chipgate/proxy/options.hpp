// What a chip's port accepts, how long it waits, and how it refuses.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/duration.hpp"
#include "chipgate/base/ids.hpp"
#include "chipgate/base/secret.hpp"
#include "chipgate/protocol/destinations.hpp"
#include "chipgate/protocol/refusal.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chipgate::proxy {

struct ClientCredentials {
  std::string username;
  Secret password;
};

struct ListenOptions {
  IpAddress address = IpAddress::v4({127, 0, 0, 1});
  // Docker's docker-proxy and the like turn a reset into a close, which some clients read as a broken login.
  protocol::ListenerReach reach = protocol::ListenerReach::direct;
  std::optional<ClientCredentials> credentials;
  std::vector<Network> allow_clients;  // empty allows every address
};

struct Limits {
  // Of all chips together; 0 is no limit but the descriptors.
  std::uint32_t tunnels = 0;
  std::uint32_t tunnels_per_chip = 256;
  // Clients whose request is not complete. One more, and the one that has taken the longest is refused in its stead:
  // who means to ask does so at once.
  std::uint32_t handshakes_per_chip = 1024;
  std::uint32_t held_per_chip = 32;
  // Open tunnels to web.whatsapp.com:443 that are older than `crowd_age`; 0 is no limit. A chip is one number, and so 1
  // refuses the second. Chips may have limits of their own.
  std::uint32_t max_whatsapp_sessions = 0;
};

struct ProxyOptions {
  ListenOptions listen;
  Limits limits;
  protocol::Destinations destinations;
  protocol::FailStyle fail_style = protocol::FailStyle::automatic;
  // From accept to the answer. Below the 20 s after which clients give up on their own.
  Milliseconds connect_budget{15'000};
  Milliseconds head_timeout{10'000};
  // After SIGTERM, how long open tunnels may go on. Below the 10 s after which `docker stop` kills.
  Milliseconds drain_deadline{8'000};
  // From when on a tunnel counts as a WhatsApp session of its own: a client that reconnects opens the new one before
  // the old one is gone, and a vanished old one is found within 60 s (keepalive).
  Milliseconds crowd_age{90'000};
  // 0 is one shard a core.
  std::uint32_t workers = 0;
};

// One chip as configured.
struct ChipOptions {
  ChipId id;
  std::string alias;
  std::uint16_t port = 0;  // 0 lets the kernel choose
};

}  // namespace chipgate::proxy
