// The bounded places of a chip.
#include "chipgate/proxy/port.hpp"

#include "unit/support/shard_test.hpp"

#include <vector>

namespace chipgate::proxy {
namespace {

class PortTest : public test::ShardTest, public PortEvents, public gateway::EndpointObserver {
 protected:
  void on_wanted(ChipIndex) override {}
  void on_endpoint(EndpointIndex, gateway::EndpointNews) override {}

  telemetry::ShardCounters counters_;
  telemetry::Log log_{telemetry::LogOptions{}};
  ProxyOptions options_;
  relay::Relay relay_{shard(), {}, counters_};
  gateway::Dialer dialer_{shard(), {}, counters_, *this};
  Port port_{
      {shard(), relay_, dialer_, counters_, log_, options_}, *this, ChipIndex(0), {*ChipId::parse("alpha"), {}, 0}};
};

// In an outage every refusal is paced, and a client that waits for the chip's new assignment is not to blame for it.
TEST_F(PortTest, PacedRefusalsTakeNoHoldersPlace) {
  std::vector<Place> paced;
  while (auto place = port_.take_pause()) paced.push_back(std::move(*place));
  EXPECT_EQ(paced.size(), options_.limits.held_per_chip);
  EXPECT_EQ(port_.counters().clients_held.value(), 0);
  const auto held = port_.take_hold();
  EXPECT_TRUE(held);
  EXPECT_EQ(port_.counters().clients_held.value(), 1);
}

TEST_F(PortTest, APlaceIsGivenBackWhenItGoes) {
  {
    std::vector<Place> held;
    while (auto place = port_.take_hold()) held.push_back(std::move(*place));
    EXPECT_EQ(held.size(), options_.limits.held_per_chip);
  }
  EXPECT_EQ(port_.counters().clients_held.value(), 0);
  EXPECT_TRUE(port_.take_hold());
}

}  // namespace
}  // namespace chipgate::proxy
