// The bounded places of a chip.
#include "unit/proxy/port_test.hpp"

#include <vector>

namespace chipgate::proxy {
namespace {

class PortPlaces : public PortTest {};

// In an outage every refusal is paced, and a client that waits for the chip's new assignment is not to blame for it.
TEST_F(PortPlaces, PacedRefusalsTakeNoHoldersPlace) {
  start();
  std::vector<Place> paced;
  while (auto place = port_->take_pause()) paced.push_back(std::move(*place));
  EXPECT_EQ(paced.size(), options_.limits.held_per_chip);
  EXPECT_EQ(port_->counters().clients_held.value(), 0);
  const auto held = port_->take_hold();
  EXPECT_TRUE(held);
  EXPECT_EQ(port_->counters().clients_held.value(), 1);
}

TEST_F(PortPlaces, APlaceIsGivenBackWhenItGoes) {
  start();
  {
    std::vector<Place> held;
    while (auto place = port_->take_hold()) held.push_back(std::move(*place));
    EXPECT_EQ(held.size(), options_.limits.held_per_chip);
  }
  EXPECT_EQ(port_->counters().clients_held.value(), 0);
  EXPECT_TRUE(port_->take_hold());
}

}  // namespace
}  // namespace chipgate::proxy
