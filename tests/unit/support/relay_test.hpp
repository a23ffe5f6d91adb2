// RelayTest: tunnels between two peers of the test, and what became of them.
#pragma once

#include "chipgate/relay/relay.hpp"
#include "unit/support/loopback.hpp"
#include "unit/support/shard_test.hpp"

#include <deque>
#include <functional>
#include <optional>
#include <sys/socket.h>

namespace chipgate::test {

using relay::Direction;

// What a tunnel told.
struct TunnelRecord {
  std::size_t up = 0;
  std::size_t down = 0;
  std::optional<ErrorKind> ended;
  int error = 0;
  std::function<void()> on_delivered;
};

class RecordedTunnel final : public relay::Tunnel {
 public:
  RecordedTunnel(net::EndPtr client, net::EndPtr upstream, TunnelRecord& record)
      : Tunnel(std::move(client), std::move(upstream)), record_(record) {}

 private:
  void on_delivered(Direction direction, std::size_t bytes) override {
    (direction == Direction::up ? record_.up : record_.down) += bytes;
    if (record_.on_delivered) record_.on_delivered();
  }
  void on_end(ErrorKind how, int error) override {
    EXPECT_FALSE(record_.ended) << "ended twice";
    record_.ended = how;
    record_.error = error;
  }

  TunnelRecord& record_;
};

class RelayTest : public ShardTest {
 protected:
  struct Joined {
    TunnelRecord record;
    Peer* client = nullptr;
    Peer* upstream = nullptr;
    relay::Tunnel* tunnel = nullptr;  // until it has ended

    bool ended() const { return record.ended.has_value(); }
  };

  struct Sockets {
    TcpPair client;
    TcpPair upstream;
  };

  void SetUp() override { use({}); }

  void TearDown() override {
    for (auto& joined : joined_) {
      if (!joined.ended()) relay_->cut(*joined.tunnel, ErrorKind::draining);
    }
    quiesce();
    EXPECT_EQ(counters_.blocked_bytes.value(), 0) << "the gauge kept what is held no more";
    ShardTest::TearDown();
  }

  // Before any tunnel is joined.
  void use(const relay::RelayOptions& options) { relay_ = std::make_unique<relay::Relay>(shard(), options, counters_); }

  // `window` is small where a peer should block the relay soon.
  Joined& join(int client_window = 0, int upstream_window = 0) {
    return join({tcp_pair(client_window), tcp_pair(upstream_window)});
  }
  Joined& join(Sockets sockets) {
    return join(std::move(sockets), [](relay::Tunnel&) {});
  }
  // `prepare` is for what precedes the joining.
  Joined& join(Sockets sockets, const std::function<void(relay::Tunnel&)>& prepare) {
    auto& client = peer(std::move(sockets.client.theirs));
    auto& upstream = peer(std::move(sockets.upstream.theirs));
    return join(client, upstream, shard().set().add(std::move(sockets.client.ours)),
                shard().set().add(std::move(sockets.upstream.ours)), prepare);
  }
  Joined& join(Peer& client, Peer& upstream, net::EndPtr client_end, net::EndPtr upstream_end,
               const std::function<void(relay::Tunnel&)>& prepare) {
    auto& joined = joined_.emplace_back();
    joined.client = &client;
    joined.upstream = &upstream;
    auto tunnel = std::make_unique<RecordedTunnel>(std::move(client_end), std::move(upstream_end), joined.record);
    prepare(*tunnel);
    joined.tunnel = &relay_->join(std::move(tunnel));
    return joined;
  }

  bool echo(Joined& joined, std::string_view text) {
    joined.client->send(text);
    if (!until([&] { return joined.upstream->received().ends_with(text); })) return false;
    joined.upstream->send(text);
    return until([&] { return joined.client->received().ends_with(text); });
  }

  std::int64_t held() const { return counters_.blocked_bytes.value(); }

  telemetry::ShardCounters counters_;
  std::unique_ptr<relay::Relay> relay_;
  std::deque<Joined> joined_;
};

}  // namespace chipgate::test
