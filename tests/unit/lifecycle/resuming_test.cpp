// Chips that have an exit that is to be confirmed first, and clients that wait for it.
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

class Resuming : public World {
 protected:
  Resuming() {
    add("alpha");
    options.life.verify.interval = std::chrono::hours(1);
  }
  // A restart, and from then on the gateway's answer to everything.
  void resume_under(ErrorKind failure) {
    open();
    first = *connected().assignment;
    auto exits = plane->exits;
    close();
    open();
    plane->exits = std::move(exits);
    plane->failure = Error{failure};
    ASSERT_TRUE(until([&] { return chip().trouble.has_value(); }));
  }
  void client_holds() {
    port().usage.clients_held = 1;
    service->wanted(ChipIndex(0));
  }
  AssignmentView first;
};

TEST_F(Resuming, AreLookedAtEveryRetryMinAsLongAsSomebodyWaits) {
  resume_under(ErrorKind::gateway_silent);
  client_holds();
  const auto before = plane->looks;
  // By themselves they would be looked at after 1, 2, 4, 8 s.
  ASSERT_TRUE(until([&] { return plane->looks >= before + 40; }));
  plane->failure.reset();
  ASSERT_TRUE(until_state(State::active));
  EXPECT_EQ(chip().assignment->id, first.id);
}

TEST_F(Resuming, AreLookedAtAtOnceForAClientThatComesLate) {
  resume_under(ErrorKind::gateway_silent);
  for (int i = 0; i < 8; ++i) (void)run(service->verify(id("alpha")));
  plane->failure.reset();
  service->wanted(ChipIndex(0));
  ASSERT_TRUE(until_state(State::active)) << "and not when its own time has come, after minutes";
  EXPECT_EQ(chip().assignment->id, first.id);
}

TEST_F(Resuming, TellTheirClientsWhyWhereTheAccountIsRefused) {
  resume_under(ErrorKind::provider_auth);
  // Each canary that fails makes the next one's time longer, until it is too long to wait for.
  ASSERT_TRUE(until([&] {
    service->wanted(ChipIndex(0));
    return !port().refusals.empty();
  }));
  EXPECT_EQ(port().refusals.back(), ErrorKind::provider_auth);
  plane->failure.reset();
  client_holds();
  ASSERT_TRUE(until_state(State::active));
  EXPECT_EQ(chip().assignment->id, first.id);
}

}  // namespace
}  // namespace chipgate::lifecycle
