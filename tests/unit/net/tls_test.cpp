// TLS legs: verified, resumed, never stalled by what OpenSSL has read ahead.
#include "unit/support/tls.hpp"

#include "chipgate/net/tls_client.hpp"
#include "unit/support/loopback.hpp"
#include "unit/support/shard_test.hpp"

#include <algorithm>
#include <iostream>
#include <malloc.h>
#include <openssl/ssl.h>
#include <optional>
#include <vector>

namespace chipgate::net {
namespace {

using sim::Signer;
using sim::Validity;
using test::pattern;
using test::same;

class TlsTest : public test::ShardTest {
 protected:
  struct Leg {
    EndPtr end;
    test::Peer& peer;
    TlsSession::Step step;
  };

  Leg dial(TlsClient& client, const test::TlsGateway& gateway, const std::string& name = "gateway.test",
           int window = 0) {
    auto pair = test::tcp_pair(window);
    auto end = shard().set().add(std::move(pair.ours));
    auto& server = peer(std::move(pair.theirs));
    server.serve_tls(gateway.accept(server.fd()));
    end->wrap(client.open(end->fd(), name, "gateway"));
    auto step = TlsSession::Step::want_read;
    EXPECT_TRUE(until([&] {
      if (end->readable() && end->writable()) step = end->handshake();
      return step == TlsSession::Step::done || step == TlsSession::Step::failed;
    }));
    return {std::move(end), server, step};
  }

  static std::string drain(End& end) {
    std::string all;
    std::vector<char> room(32 * 1024);
    while (end.readable()) {
      const auto outcome = end.read(room);
      if (outcome.status == IoStatus::moved) all.append(room.data(), outcome.bytes);
      if (outcome.status == IoStatus::eof || outcome.status == IoStatus::failed) break;
    }
    return all;
  }

  test::TlsAuthority authority_;
  TlsClient client_{authority_.file()};
  test::TlsGateway gateway_{authority_};
};

TEST_F(TlsTest, ShakesHandsAndCarriesBothWays) {
  auto [end, peer, step] = dial(client_, gateway_);
  ASSERT_EQ(step, TlsSession::Step::done);
  EXPECT_EQ(end->write("hello").bytes, 5U);
  ASSERT_TRUE(until([&] { return peer.received() == "hello"; }));
  peer.send("and back");
  std::string got;
  ASSERT_TRUE(until([&] { return (got += drain(*end)) == "and back"; }));
}

// Read-ahead takes several records from the socket at once: no edge will come for those that wait inside.
TEST_F(TlsTest, RecordsThatWereReadAheadAreNotLeftBehind) {
  auto [end, peer, step] = dial(client_, gateway_);
  ASSERT_EQ(step, TlsSession::Step::done);
  quiesce();
  drain(*end);  // the tickets
  const auto bytes = pattern(64 * 1024);
  peer.send(bytes);
  ASSERT_EQ(peer.unsent(), 0U);
  test::settle(peer.fd());
  ASSERT_TRUE(until([&] { return end->readable(); }));
  // Without another look at the set.
  EXPECT_TRUE(same(drain(*end), bytes));
}

TEST_F(TlsTest, ManySmallRecordsAreNotLeftBehindEither) {
  auto [end, peer, step] = dial(client_, gateway_);
  quiesce();
  drain(*end);
  for (int i = 0; i < 500; ++i) peer.send("tick");
  test::settle(peer.fd());
  ASSERT_TRUE(until([&] { return end->readable(); }));
  EXPECT_EQ(drain(*end).size(), 2'000U);
}

TEST_F(TlsTest, CloseNotifyEndsOneDirectionOnly) {
  auto [end, peer, step] = dial(client_, gateway_);
  end->write("request");
  EXPECT_EQ(end->shut_write().status, IoStatus::moved);
  ASSERT_TRUE(until([&] { return peer.eof(); }));
  EXPECT_EQ(peer.received(), "request");
  peer.send("answer").finish();
  std::string got;
  ASSERT_TRUE(until([&] { return (got += drain(*end)) == "answer"; }));
  std::array<char, 8> room;
  ASSERT_TRUE(until([&] { return end->readable(); }));
  EXPECT_EQ(end->read(room).status, IoStatus::eof);
}

TEST_F(TlsTest, ABareFinIsAnEndLikeAnyOther) {
  auto [end, peer, step] = dial(client_, gateway_);
  peer.send("bye");
  peer.close();
  std::string got;
  ASSERT_TRUE(until([&] { return (got += drain(*end)) == "bye" && end->hung_up(); }));
  std::array<char, 8> room;
  EXPECT_EQ(end->read(room).status, IoStatus::eof);
}

TEST_F(TlsTest, AResetIsAFailureWithItsErrno) {
  auto [end, peer, step] = dial(client_, gateway_);
  quiesce();
  drain(*end);
  peer.reset();
  ASSERT_TRUE(until([&] { return end->broken(); }));
  std::array<char, 8> room;
  const auto outcome = end->read(room);
  EXPECT_EQ(outcome.status, IoStatus::failed);
  EXPECT_EQ(outcome.error, ECONNRESET);
}

TEST_F(TlsTest, AWriteThatBlockedGoesOnFromAnotherBuffer) {
  auto [end, peer, step] = dial(client_, gateway_, "gateway.test", 8 * 1024);
  peer.pause_reading();
  const auto bytes = pattern(1'000'000);
  // What is left over lies elsewhere at each try.
  std::array<std::string, 2> places;
  std::size_t tries = 0;
  std::size_t written = 0;
  bool blocked = false;
  ASSERT_TRUE(until([&] {
    if (end->writable()) {
      auto& moved = places[++tries % 2];
      moved.assign(bytes, written, 32 * 1024);
      const auto outcome = end->write(moved);
      EXPECT_NE(outcome.status, IoStatus::failed);
      written += outcome.bytes;
    } else {
      blocked = true;
      peer.resume_reading();
    }
    return written == bytes.size();
  }));
  EXPECT_TRUE(blocked);
  ASSERT_TRUE(until([&] { return peer.received().size() == bytes.size(); }));
  EXPECT_TRUE(same(peer.received(), bytes));
}

TEST_F(TlsTest, AWriteTakesAsManyRecordsAsItNeeds) {
  auto [end, peer, step] = dial(client_, gateway_);
  const auto bytes = pattern(40'000);
  EXPECT_EQ(end->write(bytes).bytes, bytes.size());
  ASSERT_TRUE(until([&] { return peer.received().size() == bytes.size(); }));
  EXPECT_TRUE(same(peer.received(), bytes));
}

TEST_F(TlsTest, TheSecondConnectionResumesTheSession) {
  {
    auto [end, peer, step] = dial(client_, gateway_);
    ASSERT_EQ(step, TlsSession::Step::done);
    EXPECT_EQ(SSL_session_reused(end->tls().get()), 0);
    quiesce();
    drain(*end);  // under TLS 1.3 the tickets come now
  }
  auto [end, peer, step] = dial(client_, gateway_);
  ASSERT_EQ(step, TlsSession::Step::done);
  EXPECT_EQ(SSL_session_reused(end->tls().get()), 1);
}

TEST_F(TlsTest, AWrongNameIsTheCertificatesFault) {
  auto [end, peer, step] = dial(client_, gateway_, "other.test");
  ASSERT_EQ(step, TlsSession::Step::failed);
  const auto failure = TlsClient::failure_of(end->tls());
  EXPECT_TRUE(failure.certificate);
  EXPECT_NE(failure.text.find("mismatch"), std::string::npos) << failure.text;
}

// OpenSSL takes no name, or half of it, and would then check none, or another one.
TEST_F(TlsTest, ANameThatCannotBeCheckedOpensNothing) {
  const auto pair = test::tcp_pair();
  for (const auto& name : {std::string(), std::string(300, 'a'), std::string("gateway.test\0.other", 19)}) {
    EXPECT_FALSE(client_.open(pair.ours.get(), name, "key")) << name;
  }
  EXPECT_TRUE(client_.open(pair.ours.get(), "gateway.test", "key"));
}

TEST_F(TlsTest, AnExpiredCertificateIsRefused) {
  const test::TlsGateway expired(authority_, {"gateway.test"}, Validity::expired);
  auto [end, peer, step] = dial(client_, expired);
  ASSERT_EQ(step, TlsSession::Step::failed);
  EXPECT_TRUE(TlsClient::failure_of(end->tls()).certificate);
}

TEST_F(TlsTest, AnUntrustedCertificateIsRefused) {
  const test::TlsGateway self_signed(authority_, {"gateway.test"}, Validity::good, Signer::itself);
  auto [end, peer, step] = dial(client_, self_signed);
  ASSERT_EQ(step, TlsSession::Step::failed);
  EXPECT_TRUE(TlsClient::failure_of(end->tls()).certificate);
}

TEST_F(TlsTest, AnAddressIsVerifiedAsAnAddress) {
  const test::TlsGateway by_address(authority_, {"127.0.0.1"});
  EXPECT_EQ(dial(client_, by_address, "127.0.0.1").step, TlsSession::Step::done);
  EXPECT_EQ(dial(client_, by_address, "127.0.0.2").step, TlsSession::Step::failed);
  EXPECT_EQ(dial(client_, gateway_, "127.0.0.1").step, TlsSession::Step::failed);
}

TEST_F(TlsTest, WhatIsNotTlsIsAFailureOfTheHandshake) {
  auto pair = test::tcp_pair();
  auto end = shard().set().add(std::move(pair.ours));
  auto& peer = this->peer(std::move(pair.theirs));
  peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
  end->wrap(client_.open(end->fd(), "gateway.test", "gateway"));
  auto step = TlsSession::Step::want_read;
  ASSERT_TRUE(until([&] {
    if (end->readable()) step = end->handshake();
    return step == TlsSession::Step::failed;
  }));
  const auto failure = TlsClient::failure_of(end->tls());
  EXPECT_FALSE(failure.certificate);
  EXPECT_FALSE(failure.text.empty());
}

TEST_F(TlsTest, AMissingCaFileIsSaidAtOnce) { EXPECT_THROW(TlsClient("/nowhere/ca.pem"), std::runtime_error); }

TEST_F(TlsTest, AnIdleLegIsSmall) {
  constexpr int legs = 100;
  std::vector<EndPtr> ends;
  const auto heap = [] { return mallinfo2().uordblks; };
  const auto before = heap();
  std::size_t servers = 0;
  for (int i = 0; i < legs; ++i) {
    auto [end, peer, step] = dial(client_, gateway_);
    ASSERT_EQ(step, TlsSession::Step::done);
    peer.send("hello");
    std::string got;
    ASSERT_TRUE(until([&] { return (got += drain(*end)) == "hello"; }));
    end->write("hello");
    ASSERT_TRUE(until([&] { return peer.received() == "hello"; }));
    const auto with_server = heap();
    peer.forget_tls();
    servers += with_server - std::min(with_server, heap());
    ends.push_back(std::move(end));
  }
  if (heap() == 0) GTEST_SKIP() << "the allocator does not count";
  const auto each = (heap() - before) / legs;
  RecordProperty("bytes_per_idle_leg", static_cast<int>(each));
  std::cout << "an idle TLS leg takes " << each << " bytes of heap (the server's side took " << servers / legs << ")\n";
  EXPECT_LT(each, 32U * 1024);
}

}  // namespace
}  // namespace chipgate::net
