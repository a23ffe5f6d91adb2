// Closing a chip's port for good.
#include "unit/proxy/port_test.hpp"

namespace chipgate::proxy {
namespace {

class PortClose : public PortTest {
 protected:
  void close() {
    port_->close([this] { port_.reset(); });
  }
  [[nodiscard]] bool closed() {
    return until([&] { return !port_; });
  }
};

TEST_F(PortClose, ResetsAllThatIsOpenAndIsDoneBehindIt) {
  serve();
  const auto joined = tunnel();
  auto& silent = connect();
  const auto looked = look(route());
  auto& looked_at = asked();
  auto& refused = ask();
  asked().send("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  ASSERT_TRUE(until([&] { return refusals(ErrorKind::provider_session_lost) == 1; }));
  close();
  EXPECT_TRUE(port_) << "it is still in use";
  ASSERT_TRUE(closed());
  for (auto* one : {joined.client, joined.gateway, &silent, &looked_at, &refused}) ASSERT_TRUE(ended(*one));
  ASSERT_TRUE(looked->has_value());
  EXPECT_EQ((*looked)->address.error(), ErrorKind::fenced);
  EXPECT_EQ(shard().tasks().running(), 0U);
  EXPECT_EQ(chip_counters_->tunnels_open.value(), 0) << "its counters outlive it";
  EXPECT_EQ(chip_counters_->tunnels_opened.value(), 1U);
}

TEST_F(PortClose, OfAnEmptyPortIsDoneAsWell) {
  start();
  close();
  EXPECT_TRUE(port_) << "never in place: the caller still has it in its hands";
  ASSERT_TRUE(closed());
}

TEST_F(PortClose, NobodyIsAcceptedAnyMore) {
  start();
  close();
  EXPECT_THROW(test::connect_to(address_), std::system_error);
}

TEST_F(PortClose, TheLastTunnelIsGoneBeforeIt) {
  serve();
  const auto joined = tunnel();
  fence();
  close();
  ASSERT_TRUE(closed());
  ASSERT_TRUE(ended(*joined.client));
}

TEST_F(PortClose, AFenceThatIsUnderWayIsToldAsWell) {
  start();
  look(route());
  asked();
  const auto done = fence();
  close();
  ASSERT_TRUE(closed());
  EXPECT_TRUE(*done);
}

}  // namespace
}  // namespace chipgate::proxy
