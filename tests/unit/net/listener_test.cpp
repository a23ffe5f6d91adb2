// Accepting, and accepting again after descriptors had run out.
#include "chipgate/net/listener.hpp"

#include "unit/support/loopback.hpp"
#include "unit/support/shard_test.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <vector>

namespace chipgate::net {
namespace {

using namespace std::chrono_literals;
using test::DescriptorsLeft;
using test::NoDescriptors;

class ListenerTest : public test::ShardTest, public Acceptor {
 protected:
  void on_accept(Listener& by, EndPtr client, const SocketAddress& from) override {
    if (&by == other_.get()) ++accepted_by_other_;
    accepted_.push_back(std::move(client));
    peers_addresses_.push_back(from);
    if (on_first_ && accepted_.size() == 1) shard().post(on_first_);
  }

  void TearDown() override {
    listener_.reset();
    other_.reset();
    accepted_.clear();
    ShardTest::TearDown();
  }

  void listen() {
    auto fd = listen_on(test::loopback());
    address_ = local_address(fd.get());
    listener_ = std::make_unique<Listener>(shard(), paused_, *this, std::move(fd));
  }

  // Many wait at the first listener, and two at another one.
  void crowd(PausedListeners& paused) {
    auto fd = listen_on(test::loopback());
    const auto address = local_address(fd.get());
    other_ = std::make_unique<Listener>(shard(), paused, *this, std::move(fd));
    for (int i = 0; i < 20; ++i) peer(test::connect_to(address_));
    for (int i = 0; i < 2; ++i) peer(test::connect_to(address));
  }
  // Without descriptors but for what is freed, one by one.
  void expect_turns() {
    ASSERT_TRUE(until([&] { return pauses_ >= 2; }));
    for (int freed = 0; freed < 8 && accepted_by_other_ < 2; ++freed) {
      ASSERT_FALSE(accepted_.empty());
      const auto before = peers_addresses_.size();
      accepted_.erase(accepted_.begin());
      // The first one may only fill up the reserve.
      (void)until([&] { return peers_addresses_.size() > before; }, 300ms);
    }
    EXPECT_EQ(accepted_by_other_, 2);
  }

  static std::chrono::microseconds processor_time() {
    rusage used{};
    ::getrusage(RUSAGE_THREAD, &used);
    return std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           std::chrono::microseconds(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
  }

  int pauses_ = 0;
  int accepted_by_other_ = 0;
  PausedListeners paused_{shard(), [this] { ++pauses_; }};
  SocketAddress address_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Listener> other_;
  std::vector<EndPtr> accepted_;
  std::vector<SocketAddress> peers_addresses_;
  std::function<void()> on_first_;
};

TEST_F(ListenerTest, TellsWhoConnected) {
  listen();
  auto& client = peer(test::connect_to(address_));
  const auto from = local_address(client.fd());
  ASSERT_TRUE(until([&] { return !accepted_.empty(); }));
  EXPECT_EQ(peers_addresses_.front(), from);
}

TEST_F(ListenerTest, ABurstLargerThanATurnIsAcceptedWhole) {
  listen();
  for (int i = 0; i < 200; ++i) peer(test::connect_to(address_));
  std::size_t largest = 0;
  std::size_t before = 0;
  const std::function<void()> look = [&] {
    largest = std::max(largest, accepted_.size() - before);
    before = accepted_.size();
    if (before < 200) shard().post(look);
  };
  shard().post(look);
  ASSERT_TRUE(until([&] { return accepted_.size() == 200; })) << accepted_.size();
  EXPECT_LE(largest, 64U) << "other work waits behind a burst";
}

TEST_F(ListenerTest, PausesWithoutDescriptorsAndResumesWhenTheShardFreesOne) {
  listen();
  auto& first = peer(test::connect_to(address_));
  ASSERT_TRUE(until([&] { return accepted_.size() == 1; }));
  // Before the clock's own turn comes: a slow machine may need several tries to be quick enough.
  bool prompt = false;
  for (int i = 0; i < 20 && !prompt; ++i) {
    peer(test::connect_to(address_));
    pauses_ = 0;
    const NoDescriptors none;
    ASSERT_TRUE(until([&] { return pauses_ > 0; }));
    ASSERT_EQ(accepted_.size(), 1U);
    const auto freed = Clock::now();
    accepted_.clear();
    ASSERT_TRUE(until([&] { return accepted_.size() == 1; }));
    prompt = Clock::now() - freed < 50ms;
  }
  EXPECT_TRUE(prompt);
  EXPECT_TRUE(first.eof());
}

TEST_F(ListenerTest, ResumesByItselfWhenADescriptorIsFreedUnseen) {
  listen();
  auto spare = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  peer(test::connect_to(address_));
  const NoDescriptors none;
  ASSERT_TRUE(until([&] { return pauses_ > 0; }));
  spare = UniqueFd();
  ASSERT_TRUE(until([&] { return accepted_.size() == 1; }));
}

TEST_F(ListenerTest, TheProcessorIsIdleDuringAPause) {
  listen();
  peer(test::connect_to(address_));
  peer(test::connect_to(address_));
  const NoDescriptors none;
  ASSERT_TRUE(until([&] { return pauses_ > 0; }));
  pauses_ = 0;
  const auto before = processor_time();
  shard().context().run_for(500ms);
  EXPECT_LT(processor_time() - before, 50ms);
  EXPECT_GE(pauses_, 1);
  EXPECT_LE(pauses_, 6) << "one try each 100 ms";
}

TEST_F(ListenerTest, EveryListenerThatPausedIsTriedAgain) {
  listen();
  auto second_fd = listen_on(test::loopback());
  const auto second_address = local_address(second_fd.get());
  Listener second(shard(), paused_, *this, std::move(second_fd));
  peer(test::connect_to(address_));
  peer(test::connect_to(second_address));
  {
    const NoDescriptors none;
    ASSERT_TRUE(until([&] { return pauses_ >= 2; }));
  }
  ASSERT_TRUE(until([&] { return accepted_.size() == 2; }));
}

// Or whoever floods one port gets all that is ever freed, and no other chip is served.
TEST_F(ListenerTest, EachDescriptorThatIsFreedGoesToAnotherListenerInTurn) {
  listen();
  peer(test::connect_to(address_));
  ASSERT_TRUE(until([&] { return accepted_.size() == 1; }));
  crowd(paused_);
  const NoDescriptors none;
  expect_turns();
}

constexpr std::uint32_t kept = 4;

class ListenerWithReserve : public ListenerTest {
 protected:
  void listen_with_reserve() {
    auto fd = listen_on(test::loopback());
    address_ = local_address(fd.get());
    listener_ = std::make_unique<Listener>(shard(), reserving_, *this, std::move(fd));
  }
  void TearDown() override {
    listener_.reset();
    other_.reset();
    ListenerTest::TearDown();
  }

  PausedListeners reserving_{shard(), [this] { ++pauses_; }, kept};
};

TEST_F(ListenerWithReserve, AcceptingStopsWhileTheLastDescriptorsAreFree) {
  listen_with_reserve();
  // More than there are descriptors for, once the test's own are counted.
  for (int i = 0; i < 12; ++i) peer(test::connect_to(address_));
  const DescriptorsLeft left(8);
  ASSERT_TRUE(until([&] { return pauses_ > 0; }));
  quiesce();
  // One of the reserve is given to notice it, and no more however often it is tried.
  EXPECT_EQ(accepted_.size(), 8U - kept + 1);
  const auto before = pauses_;
  ASSERT_TRUE(until([&] { return pauses_ >= before + 3; }));
  EXPECT_EQ(accepted_.size(), 8U - kept + 1);
  std::vector<UniqueFd> rest;
  for (std::uint32_t i = 0; i + 1 < kept; ++i) {
    EXPECT_TRUE(rest.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC))) << "a client could not be dialed for";
  }
}

TEST_F(ListenerWithReserve, EachDescriptorThatIsFreedLetsAnotherClientIn) {
  listen_with_reserve();
  for (int i = 0; i < 12; ++i) peer(test::connect_to(address_));
  const DescriptorsLeft left(8);
  ASSERT_TRUE(until([&] { return pauses_ > 0; }));
  for (std::size_t seen = accepted_.size(); seen < 12; ++seen) {
    accepted_.front().reset();
    accepted_.erase(accepted_.begin());
    accepted_.front().reset();
    accepted_.erase(accepted_.begin());
    const auto before = accepted_.size();
    ASSERT_TRUE(until([&] { return accepted_.size() > before; })) << seen;
    if (peers_addresses_.size() == 12) break;
  }
  EXPECT_EQ(peers_addresses_.size(), 12U);
}

TEST_F(ListenerWithReserve, EachDescriptorThatIsFreedGoesToAnotherListenerInTurn) {
  listen_with_reserve();
  crowd(reserving_);
  const DescriptorsLeft left(8);
  expect_turns();
}

TEST_F(ListenerTest, AListenerMayGoWhileItIsPaused) {
  listen();
  peer(test::connect_to(address_));
  {
    const NoDescriptors none;
    ASSERT_TRUE(until([&] { return pauses_ > 0; }));
  }
  listener_.reset();
  quiesce();
  shard().context().run_for(150ms);
  EXPECT_TRUE(accepted_.empty());
}

// A reload removes a port while its burst is still being accepted.
TEST_F(ListenerTest, AListenerMayGoBetweenTwoTurnsOfABurst) {
  listen();
  on_first_ = [this] { listener_.reset(); };  // runs before the second turn, which was posted later
  for (int i = 0; i < 200; ++i) peer(test::connect_to(address_));
  ASSERT_TRUE(until([&] { return listener_ == nullptr; }));
  quiesce();
  EXPECT_GE(accepted_.size(), 1U);
  EXPECT_LT(accepted_.size(), 200U) << "there was no second turn";
}

}  // namespace
}  // namespace chipgate::net
