// Chips that leave an endpoint that is down.
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

class Endpoints : public World {
 protected:
  Endpoints() {
    options.life.verify.interval = std::chrono::hours(1);
    add("alpha");
  }
  void clients_fail() { service->gateway_news(ChipIndex(0), port().epoch, Error{ErrorKind::gateway_refused}); }
  void shard_says_down() { service->endpoint_news(first, gateway::EndpointNews::unreachable); }
  // The look that follows the clients' failure. What the plane fails at is everybody's, so it is over behind it.
  void look_fails() {
    plane->failure = Error{ErrorKind::gateway_refused};
    EXPECT_TRUE(until([&] { return !service->endpoint_up(first); }));
    plane->failure.reset();
  }
  const EndpointIndex first{0};
};

TEST_F(Endpoints, AreLeftByChipsWhoseClientsHaveJustFailedThere) {
  open();
  const auto before = *connected().assignment;
  clients_fail();
  shard_says_down();
  ASSERT_TRUE(until([&] { return chip().assignment && chip().assignment->id != before.id; }));
  EXPECT_EQ(chip().assignment->endpoint, "http://two:2");
  EXPECT_EQ(history()[1].row.release_reason, "endpoint_down");
}

// An outage of all that is drawn there, and not one session's silence.
TEST_F(Endpoints, ThatAreSilentToEveryNewSessionGiveWayToTheNext) {
  open();
  plane->silent_endpoints = {first};
  EXPECT_EQ(connected().assignment->endpoint, "http://two:2");
}

TEST_F(Endpoints, ThatAreTheOnlyOneAreNotHeldDownForSilence) {
  options.endpoint_names = {"http://one:1"};
  open();
  plane->silent_endpoints = {first};
  service->wanted(ChipIndex(0));
  ASSERT_TRUE(until([&] { return plane->looks >= 10; }));
  EXPECT_TRUE(service->endpoint_up(first));
}

TEST_F(Endpoints, AreNotHeldDownWhereItIsTheEchoesThatAreSilent) {
  options.life.verify.echoes_v4.resize(1);
  open();
  plane->silent_echoes = {"echo-a"};
  service->wanted(ChipIndex(0));
  ASSERT_TRUE(until([&] { return plane->looks >= 20; }));
  EXPECT_TRUE(service->endpoint_up(first));
  EXPECT_TRUE(service->endpoint_up(EndpointIndex(1)));
}

TEST_F(Endpoints, AreNotLeftForOneSessionsSilence) {
  options.life.draw.per_round = 1;
  open();
  plane->silent_endpoints = {first};
  service->wanted(ChipIndex(0));
  ASSERT_TRUE(until([&] { return plane->looks >= 2; }));
  plane->silent_endpoints.clear();
  EXPECT_EQ(connected().assignment->endpoint, "http://one:1");
}

TEST_F(Endpoints, AreNotLeftByAChipThatAskedForNothing) {
  open();
  const auto before = *connected().assignment;
  shard_says_down();
  settle();
  EXPECT_EQ(chip().assignment->id, before.id);
}

TEST_F(Endpoints, AreLeftAlsoWhereALookSawFirstThatTheyAreDown) {
  open();
  const auto before = *connected().assignment;
  clients_fail();
  look_fails();
  EXPECT_EQ(chip().assignment->id, before.id) << "one failure of a client and one of a look may be a moment";
  // The clients' further failures, of which the shard tells by this alone.
  shard_says_down();
  ASSERT_TRUE(until([&] { return chip().assignment && chip().assignment->id != before.id; }));
  EXPECT_EQ(chip().assignment->endpoint, "http://two:2");
}

}  // namespace
}  // namespace chipgate::lifecycle
