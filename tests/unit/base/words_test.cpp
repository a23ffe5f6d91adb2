// Ids, durations, numbers, secrets and the error table.
#include "chipgate/base/ascii.hpp"
#include "chipgate/base/duration.hpp"
#include "chipgate/base/errors.hpp"
#include "chipgate/base/ids.hpp"
#include "chipgate/base/result.hpp"
#include "chipgate/base/secret.hpp"

#include <array>
#include <gtest/gtest.h>
#include <set>

namespace chipgate {
namespace {

TEST(ChipId, TakesUuidsAndShortNames) {
  EXPECT_TRUE(ChipId::parse("6a2f41a3-c54c-fce8-32d2-0324e1c32e22"));
  EXPECT_TRUE(ChipId::parse("sales_01.br"));
  EXPECT_TRUE(ChipId::parse(std::string(64, 'a')));
}

TEST(ChipId, RejectsWhatCouldBreakAUsernameOrAPath) {
  for (const auto* text : {"", "a b", "a/b", "a:b", "a@b", "ação", "a\n"}) EXPECT_FALSE(ChipId::parse(text)) << text;
  EXPECT_FALSE(ChipId::parse(std::string(65, 'a')));
}

TEST(Decimal, IsDigitsWithoutSignOrLeadingZero) {
  EXPECT_EQ(parse_decimal("0", 9), 0U);
  EXPECT_EQ(parse_decimal("65535", 65535), 65535U);
  EXPECT_EQ(parse_decimal("18446744073709551615", UINT64_MAX), UINT64_MAX);
  for (const auto* text : {"", "+1", "-1", "01", "1a", "65536", " 1"}) EXPECT_FALSE(parse_decimal(text, 65535)) << text;
  EXPECT_FALSE(parse_decimal("18446744073709551616", UINT64_MAX));
  EXPECT_FALSE(parse_decimal("9", 3));
}

TEST(Duration, NeedsAUnitUnlessItIsZero) {
  EXPECT_EQ(parse_duration("250ms"), Milliseconds(250));
  EXPECT_EQ(parse_duration("15s"), Milliseconds(15'000));
  EXPECT_EQ(parse_duration("5min"), Milliseconds(300'000));
  EXPECT_EQ(parse_duration("6h"), Milliseconds(21'600'000));
  EXPECT_EQ(parse_duration("0"), Milliseconds(0));
  for (const auto* text : {"", "15", "s", "1.5s", "-1s", "1 s", "1m", "99999999999999999d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Duration, IsWrittenInItsShortestExactForm) {
  EXPECT_EQ(format_duration(Milliseconds(90'000)), "90s");
  EXPECT_EQ(format_duration(Milliseconds(120'000)), "2min");
  EXPECT_EQ(format_duration(Milliseconds(1'500)), "1500ms");
  EXPECT_EQ(format_duration(Milliseconds(0)), "0s");
}

TEST(Rfc3339, IsUtcWithMilliseconds) {
  EXPECT_EQ(rfc3339(WallTime(std::chrono::milliseconds(1'700'000'000'042))), "2023-11-14T22:13:20.042Z");
  EXPECT_EQ(rfc3339(WallTime(std::chrono::milliseconds(-1))), "1969-12-31T23:59:59.999Z");
}

TEST(Rfc3339, IsReadWithOffsetsAndFractions) {
  for (const auto* text :
       {"2023-11-14T22:13:20.042Z", "2023-11-14T19:13:20.0420009-03:00", "2023-11-15t03:43:20.042+05:30"}) {
    const auto time = parse_rfc3339(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(*time, WallTime(std::chrono::milliseconds(1'700'000'000'042))) << text;
  }
  EXPECT_EQ(rfc3339(*parse_rfc3339("2024-02-29T23:59:60Z")), "2024-03-01T00:00:00.000Z");
}

TEST(Rfc3339, RefusesWhatIsNoTime) {
  for (const auto* text :
       {"", "now", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14 22:13:20Z", "2023-02-29T00:00:00Z",
        "2023-13-01T00:00:00Z", "2023-11-14T24:00:00Z", "2023-11-14T22:13Z", "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20Zx", "2023-11-14T22:13:20+3:00", "+023-11-14T22:13:20Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
  // Beyond what a wall time can count, which would overflow.
  for (const auto* const text :
       {"1026-01-31T00:00:00Z", "1969-12-31T23:59:59Z", "2262-04-12T00:00:00Z", "9999-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

// A short text lies in the string itself, where a move leaves it.
TEST(Secret, LeavesNothingBehindWhereItWasMovedFrom) {
  const auto holds = [](const Secret& secret, std::string_view text) {
    return std::string_view(reinterpret_cast<const char*>(&secret), sizeof secret).find(text) != std::string_view::npos;
  };
  Secret from("short-one");
  ASSERT_TRUE(holds(from, "short-one"));
  const Secret constructed(std::move(from));
  EXPECT_FALSE(holds(from, "short-one"));  // NOLINT(bugprone-use-after-move): that is what is tested
  Secret other("other-one");
  Secret assigned;
  assigned = std::move(other);
  EXPECT_FALSE(holds(other, "other-one"));  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(constructed.reveal(), "short-one");
  EXPECT_EQ(assigned.reveal(), "other-one");
}

TEST(Printable, IsOneLineThatNobodyElseWrote) {
  EXPECT_EQ(printable("plain ~", 100), "plain ~");
  EXPECT_EQ(printable("a\r\nb\x7f\xc3", 100), "a??b??");
  EXPECT_EQ(printable("abcdef", 3), "abc");
}

TEST(Join, NeverGrows) {
  const std::string secret(1'000, 'x');
  const auto text = join(std::array<std::string_view, 3>{"a", secret, "b"});
  EXPECT_EQ(text, "a" + secret + "b");
  EXPECT_EQ(text.capacity(), text.size());
}

TEST(Ascii, FoldsCaseOfLettersOnly) {
  EXPECT_TRUE(equals_ignoring_case("Host", "hOST"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t "), "");
}

TEST(Secret, ComparesAndMovesWithoutLeavingACopy) {
  Secret secret("hunter2");
  EXPECT_TRUE(secret.equals("hunter2"));
  EXPECT_FALSE(secret.equals("hunter3"));
  EXPECT_FALSE(secret.equals("hunter"));
  const Secret moved = std::move(secret);
  EXPECT_TRUE(secret.empty());
  EXPECT_EQ(moved.reveal(), "hunter2");
}

TEST(ErrorTable, NeverUsesAStatusThatClientsReadAsWhatsAppsVerdict) {
  const std::set<int> forbidden{401, 402, 404, 406, 410, 440, 500};
  for (std::size_t i = 0; i < error_count; ++i) {
    const auto& row = info(static_cast<ErrorKind>(i));
    EXPECT_FALSE(forbidden.contains(row.status)) << row.name;
    EXPECT_FALSE(row.message.empty()) << row.name;
    EXPECT_FALSE(row.proxy_error.empty()) << row.name;
  }
}

TEST(ErrorTable, NamesAreUnique) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < error_count; ++i) names.insert(info(static_cast<ErrorKind>(i)).name);
  EXPECT_EQ(names.size(), error_count);
}

TEST(Result, AskingAFailureForItsValueIsABug) {
  const Result<int> failed = Error{ErrorKind::fenced};
  EXPECT_TRUE(failed.has_error());
  EXPECT_EQ(failed.error().kind, ErrorKind::fenced);
  EXPECT_THROW((void)failed.value(), std::logic_error);
}

}  // namespace
}  // namespace chipgate
