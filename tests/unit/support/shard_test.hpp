// ShardTest: a shard on the test's own thread, which has to end with nothing left behind.
#pragma once

#include "chipgate/net/shard.hpp"
#include "unit/support/descriptors.hpp"
#include "unit/support/peer.hpp"

#include <chrono>
#include <csignal>
#include <functional>
#include <gtest/gtest.h>
#include <list>

namespace chipgate::test {

using namespace std::chrono_literals;

class ShardTest : public testing::Test {
 protected:
  // What should happen and does not ends the test, instead of hanging it. Generous, for a loaded machine.
  static constexpr auto patience = 20s;

  ShardTest() { std::signal(SIGPIPE, SIG_IGN); }

  void TearDown() override {
    peers_.clear();
    shard_->stop();
    shard_->context().run_for(patience);
    EXPECT_TRUE(shard_->context().stopped()) << "the shard did not run dry";
    EXPECT_EQ(shard_->tasks().running(), 0U);
  }

  net::Shard& shard() { return *shard_; }

  // Addresses of peers stay: tests keep references.
  Peer& peer(net::UniqueFd socket, Reading reading = Reading::on) {
    return peers_.emplace_back(std::move(socket), reading);
  }

  // Peers, then the shard's handlers that are ready, then again. Whether the condition came true.
  [[nodiscard]] bool until(const std::function<bool()>& condition) { return until(condition, patience); }
  [[nodiscard]] bool until(const std::function<bool()>& condition, std::chrono::milliseconds longest) {
    const auto end = Clock::now() + longest;
    for (;;) {
      pump();
      if (condition()) return true;
      if (Clock::now() > end) return false;
      if (shard_->context().poll() == 0) shard_->context().run_one_for(1ms);
    }
  }

  // Until nothing moves any more: what should not happen has had its chance.
  void quiesce() {
    for (int quiet = 0; quiet < 20; ++quiet) {
      pump();
      if (shard_->context().poll() != 0) quiet = 0;
      shard_->context().run_one_for(1ms);
    }
  }

  void pump() {
    for (auto& peer : peers_) peer.pump();
  }

 private:
  NoDescriptorLeft descriptors_;
  std::unique_ptr<net::Shard> shard_ = std::make_unique<net::Shard>();
  std::list<Peer> peers_;
};

}  // namespace chipgate::test
