// Tunnels whose upstream leg is under TLS.
#include "unit/support/tls.hpp"

#include "chipgate/net/tls_client.hpp"
#include "unit/support/relay_test.hpp"

namespace chipgate::relay {
namespace {

using test::pattern;
using test::same;

class OverTls : public test::RelayTest {
 protected:
  // What the server says before the tunnel is joined may have been read ahead with its part of the handshake.
  Joined& join_tls(const std::string& banner = "", int client_window = 0, int upstream_window = 0) {
    auto client = test::tcp_pair(client_window);
    auto upstream = test::tcp_pair(upstream_window);
    auto end = shard().set().add(std::move(upstream.ours));
    auto& server = peer(std::move(upstream.theirs));
    server.serve_tls(gateway_.accept(server.fd()));
    if (!banner.empty()) server.send(banner);
    end->wrap(client_.open(end->fd(), "gateway.test", "gateway"));
    auto step = net::TlsSession::Step::want_read;
    EXPECT_TRUE(until([&] {
      if (end->readable() && end->writable()) step = end->handshake();
      return step == net::TlsSession::Step::done && (banner.empty() || server.shaken());
    }));
    auto& client_peer = peer(std::move(client.theirs));
    return join(client_peer, server, shard().set().add(std::move(client.ours)), std::move(end), [](Tunnel&) {});
  }

  test::TlsAuthority authority_;
  net::TlsClient client_{authority_.file()};
  test::TlsGateway gateway_{authority_};
};

TEST_F(OverTls, BothDirections) {
  auto& joined = join_tls();
  EXPECT_TRUE(echo(joined, "ping"));
  EXPECT_TRUE(echo(joined, "pong"));
}

TEST_F(OverTls, WhatTheServerSaidFirstIsDelivered) {
  for (int i = 0; i < 10; ++i) {
    auto& joined = join_tls("banner");
    ASSERT_TRUE(until([&] { return joined.client->received() == "banner"; })) << joined.client->received();
  }
}

TEST_F(OverTls, MegabytesBothWaysAtOnceThroughSmallWindows) {
  auto& joined = join_tls("", 16 * 1024, 16 * 1024);
  const auto up = pattern(2'000'000);
  const auto down = pattern(1'900'001);
  joined.client->send(up).finish();
  joined.upstream->send(down).finish();
  ASSERT_TRUE(until([&] { return joined.client->eof() && joined.upstream->eof(); }));
  EXPECT_TRUE(same(joined.upstream->received(), up));
  EXPECT_TRUE(same(joined.client->received(), down));
  ASSERT_TRUE(until([&] { return joined.ended(); }));
}

TEST_F(OverTls, RecordsReadAheadDoNotStallATunnel) {
  auto& joined = join_tls();
  ASSERT_TRUE(echo(joined, "x"));
  joined.client->take_received();
  const auto bytes = pattern(64 * 1024);
  for (int i = 0; i < 20; ++i) {
    joined.upstream->send(bytes);
    ASSERT_TRUE(until([&] { return joined.client->received().size() == bytes.size(); }));
    EXPECT_TRUE(same(joined.client->take_received(), bytes));
  }
}

TEST_F(OverTls, AClientsHalfCloseIsACloseNotify) {
  auto& joined = join_tls();
  joined.client->send("request");
  joined.client->finish();
  ASSERT_TRUE(until([&] { return joined.upstream->eof(); }));
  EXPECT_EQ(joined.upstream->received(), "request");
  EXPECT_FALSE(joined.ended());
  joined.upstream->send(pattern(100'000)).finish();
  ASSERT_TRUE(until([&] { return joined.client->eof(); }));
  EXPECT_TRUE(same(joined.client->received(), pattern(100'000)));
  ASSERT_TRUE(until([&] { return joined.ended(); }));
  EXPECT_EQ(joined.record.ended, ErrorKind::client_closed);
}

TEST_F(OverTls, AnUpstreamsCloseNotifyLeavesTheClientItsWay) {
  auto& joined = join_tls();
  joined.upstream->send("bye").finish();
  ASSERT_TRUE(until([&] { return joined.client->eof(); }));
  joined.client->send("one more thing");
  ASSERT_TRUE(until([&] { return joined.upstream->received() == "one more thing"; }));
}

TEST_F(OverTls, AnUpstreamThatOnlyClosesItsSocketHasEnded) {
  auto& joined = join_tls();
  ASSERT_TRUE(echo(joined, "x"));
  joined.upstream->send("bye");
  joined.upstream->close();
  ASSERT_TRUE(until([&] { return joined.client->eof(); }));
  EXPECT_EQ(joined.client->received(), "xbye");
}

TEST_F(OverTls, AnUpstreamsResetReachesTheClientAsAReset) {
  auto& joined = join_tls();
  ASSERT_TRUE(echo(joined, "x"));
  quiesce();
  joined.upstream->reset();
  ASSERT_TRUE(until([&] { return joined.ended() && joined.client->ended(); }));
  EXPECT_EQ(joined.record.ended, ErrorKind::upstream_reset);
  EXPECT_EQ(joined.client->error(), ECONNRESET);
}

TEST_F(OverTls, ABlockedUpstreamHoldsNoMoreThanAPlainOne) {
  auto& joined = join_tls("", 0, 8 * 1024);
  ASSERT_TRUE(echo(joined, "x"));
  joined.upstream->pause_reading();
  const auto bytes = pattern(1'000'000);
  joined.client->send(bytes);
  quiesce();
  EXPECT_GT(held(), 0);
  EXPECT_LE(held(), 64 * 1024);
  joined.upstream->take_received();
  joined.upstream->resume_reading();
  ASSERT_TRUE(until([&] { return joined.upstream->received().size() == bytes.size(); }));
  EXPECT_TRUE(same(joined.upstream->received(), bytes));
}

}  // namespace
}  // namespace chipgate::relay
