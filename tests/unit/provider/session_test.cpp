// Session identifiers under every kind of clock.
#include "chipgate/provider/session.hpp"

#include <gtest/gtest.h>
#include <set>

namespace chipgate::provider {
namespace {

using namespace std::chrono_literals;

const WallTime noon{std::chrono::seconds(1'700'000'000)};

ChipId chip(std::string_view text) { return *ChipId::parse(text); }

TEST(SessionNames, CarryUnixSecondsAndThenMicroseconds) {
  SessionNames names;
  EXPECT_EQ(names.next(chip("a"), noon).value(), "chip-a-1700000000");
  EXPECT_EQ(names.next(chip("a"), noon + 5us).value(), "chip-a-1700000000000005");
  EXPECT_EQ(names.next(chip("a"), noon + 5us).value(), "chip-a-1700000000000006");
  EXPECT_EQ(names.next(chip("a"), noon + 1s).value(), "chip-a-1700000001");
}

TEST(SessionNames, AreCountedForEachChipAlone) {
  SessionNames names;
  EXPECT_EQ(names.next(chip("a"), noon).value(), "chip-a-1700000000");
  EXPECT_EQ(names.next(chip("b"), noon).value(), "chip-b-1700000000");
}

TEST(SessionNames, AreNeverGivenTwiceWhateverTheClockDoes) {
  SessionNames names;
  std::set<SessionIdentifier> given;
  std::size_t asked = 0;
  const auto ask = [&](WallTime now) {
    given.insert(names.next(chip("a"), now));
    ++asked;
  };
  for (int i = 0; i < 10'000; ++i) ask(noon + std::chrono::microseconds(i * 100));
  for (int i = 0; i < 1'000; ++i) ask(noon);
  for (int i = 0; i < 1'000; ++i) ask(noon - std::chrono::seconds(i));
  for (int i = 0; i < 1'000; ++i) ask(noon + std::chrono::milliseconds(i * 500));
  for (int i = 0; i < 1'000; ++i) ask(WallTime(std::chrono::seconds(i - 500)));
  EXPECT_EQ(given.size(), asked);
}

TEST(SessionNames, DifferWhenTheClockStartsIn1970AndIsSetLater) {
  SessionNames names;
  std::set<SessionIdentifier> given;
  // In microseconds, this early time is the number that noon is in seconds.
  const WallTime early{1'700'000'000us};
  given.insert(names.next(chip("a"), early));
  given.insert(names.next(chip("a"), early));
  given.insert(names.next(chip("a"), noon));
  EXPECT_EQ(given.size(), 3U);
}

TEST(SessionNames, AreReadBack) {
  SessionNames names;
  for (const auto* text : {"a", "sales-01", "6a2f41a3-c54c-fce8-32d2-0324e1c32e22", "-", "a-1-2", "chip-x-3"}) {
    for (int i = 0; i < 2; ++i) {
      const auto parts = parse_session(names.next(chip(text), noon));
      ASSERT_TRUE(parts) << text;
      EXPECT_EQ(parts->chip.value(), text);
      EXPECT_EQ(parts->number, i == 0 ? 1'700'000'000U : 1'700'000'000'000'000U);
    }
  }
}

TEST(SessionNames, OfOthersAreNotRead) {
  for (const auto* text : {"", "chip-", "chip-a", "chip--1", "chip-a-", "chip-a-x", "chip-a-01", "Chip-a-1", "a-1",
                           "chip-a b-1", "chip-a-99999999999999999999"}) {
    EXPECT_FALSE(parse_session(SessionIdentifier(text))) << text;
  }
}

}  // namespace
}  // namespace chipgate::provider
