// Chips that an operator puts, again and again.
#include "world.hpp"

namespace chipgate::lifecycle {
namespace {

class Chips : public World {
 protected:
  Wish<PutAnswer> put(ChipSpec spec) { return run(service->put(std::move(spec))); }
  ChipSpec spec(std::string_view name, std::uint16_t port, ledger::ConnectMode mode = ledger::ConnectMode::on_demand) {
    return {.id = id(name), .port = port, .connect = mode};
  }
  auto begin_put(ChipSpec spec) { return begin(service->put(std::move(spec))); }
};

TEST_F(Chips, InAnotherModeBeginAsNewOnesWould) {
  open();
  (void)put(spec("alpha", 20'001, ledger::ConnectMode::manual));
  EXPECT_EQ(chip().arming, ledger::Arming::disarmed);
  (void)put(spec("alpha", 20'001));
  EXPECT_EQ(chip().arming, ledger::Arming::armed);
  reopen();
  EXPECT_EQ(chip().arming, ledger::Arming::armed);
  (void)put(spec("alpha", 20'001, ledger::ConnectMode::manual));
  EXPECT_EQ(chip().arming, ledger::Arming::disarmed);
  reopen();
  EXPECT_EQ(chip().arming, ledger::Arming::disarmed) << "or it would connect by itself";
  EXPECT_EQ(chip().state, State::released);
}

TEST_F(Chips, OfTheSameKindOfModeKeepTheirOperatorsWord) {
  open();
  (void)put(spec("alpha", 20'001));
  (void)run(service->release(id("alpha"), std::nullopt));
  (void)put(spec("alpha", 20'001, ledger::ConnectMode::on_start));
  EXPECT_EQ(chip().arming, ledger::Arming::disarmed);
  reopen();
  EXPECT_EQ(chip().state, State::released);
}

TEST_F(Chips, ThatWantOneAliasAtTheSameTimeDoNotBothHearThatTheyHaveIt) {
  open();
  (void)put(spec("alpha", 20'001));
  (void)put(spec("beta", 20'002));
  const auto one = begin_put({.id = id("alpha"), .alias = "Sales", .port = 20'001});
  const auto other = begin_put({.id = id("beta"), .alias = "Sales", .port = 20'002});
  ASSERT_TRUE(until([&] { return one->has_value() && other->has_value(); }));
  EXPECT_TRUE(std::holds_alternative<PutAnswer>(**one));
  ASSERT_TRUE(std::holds_alternative<Denied>(**other));
  EXPECT_EQ(std::get<Denied>(**other).why, Denial::alias_taken);
  EXPECT_EQ(chip("beta").spec.alias, "");
}

TEST_F(Chips, KeepTheirPortWhereAClientIsQuickerThanTheLedger) {
  open();
  (void)put(spec("alpha", 20'001));
  const auto answer = begin_put(spec("alpha", 20'002));
  control->poll_one();
  service->wanted(ChipIndex(0));
  ASSERT_TRUE(until([&] { return answer->has_value(); }));
  ASSERT_TRUE(std::holds_alternative<Denied>(**answer));
  EXPECT_EQ(std::get<Denied>(**answer).why, Denial::not_released);
  ASSERT_TRUE(until_state(State::active));
  EXPECT_TRUE(port(0).route);
  settle();
  reopen();
  EXPECT_EQ(chip().spec.port, 20'001);
}

TEST_F(Chips, GoOnWithALargerQuota) {
  open();
  auto wanted = spec("alpha", 20'001, ledger::ConnectMode::on_start);
  wanted.quota.day = 1'000;
  (void)put(wanted);
  ASSERT_TRUE(until_state(State::active));
  port().usage.bytes_down = 2'000;
  count_traffic();
  ASSERT_TRUE(until_state(State::blocked));
  wanted.quota.day = 1'000'000;
  (void)put(wanted);
  EXPECT_EQ(chip().state, State::acquiring);
}

TEST_F(Chips, ThatArePutTwiceAtOnceHaveBothDoneOneAfterTheOther) {
  open();
  (void)put(spec("alpha", 20'001));
  const auto port = begin_put(spec("alpha", 20'002));
  const auto alias = begin_put({.id = id("alpha"), .alias = "Sales", .port = 0});
  const auto again = begin_put({.id = id("alpha"), .alias = "Sales", .port = 20'002});
  ASSERT_TRUE(until([&] { return port->has_value() && alias->has_value() && again->has_value(); }));
  for (const auto& answer : {port, alias, again}) EXPECT_TRUE(std::holds_alternative<PutAnswer>(**answer));
  EXPECT_EQ(chip().spec.port, 20'002);
  EXPECT_EQ(chip().spec.alias, "Sales");
  reopen();
  EXPECT_EQ(chip().spec.port, 20'002);
  EXPECT_EQ(chip().spec.alias, "Sales");
}

TEST_F(Chips, EndInTheModeThatTheyWerePutInLast) {
  open();
  (void)put(spec("alpha", 20'001));
  const auto one = begin_put(spec("alpha", 20'001, ledger::ConnectMode::manual));
  const auto other = begin_put(spec("alpha", 20'001, ledger::ConnectMode::on_start));
  ASSERT_TRUE(until([&] { return one->has_value() && other->has_value(); }));
  EXPECT_EQ(chip().arming, ledger::Arming::armed);
  ASSERT_TRUE(until_state(State::active));
  reopen();
  EXPECT_EQ(chip().arming, ledger::Arming::armed);
}

TEST_F(Chips, HeedTheirOperatorsWordThatComesWhileTheyAreChanged) {
  open();
  (void)put(spec("alpha", 20'001, ledger::ConnectMode::manual));
  const auto answer = begin_put(spec("alpha", 20'001, ledger::ConnectMode::on_start));
  control->poll_one();
  (void)run(service->release(id("alpha"), std::nullopt));
  ASSERT_TRUE(until([&] { return answer->has_value(); }));
  EXPECT_EQ(chip().arming, ledger::Arming::disarmed);
  EXPECT_EQ(chip().state, State::released);
  settle();
  reopen();
  EXPECT_EQ(chip().arming, ledger::Arming::disarmed);
}

}  // namespace
}  // namespace chipgate::lifecycle
