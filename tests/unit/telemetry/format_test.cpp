// Escaping and the two forms of a line.
#include "chipgate/telemetry/json.hpp"
#include "chipgate/telemetry/log_format.hpp"

#include <array>
#include <gtest/gtest.h>
#include <limits>
#include <string>

namespace chipgate::telemetry {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;

const WallTime at{std::chrono::milliseconds(1'700'000'000'042)};

TEST(Escape, LeavesWordsOfAllLanguagesAsTheyAre) {
  for (const auto* text : {"plain text", "ação", "日本語", "🙂", "a/b'c"}) EXPECT_EQ(escape(text), text);
}

TEST(Escape, QuotesWhatWouldEndAStringOrALine) {
  EXPECT_EQ(escape("a\"b\\c"), R"(a\"b\\c)");
  EXPECT_EQ(escape("\r\n\t"), R"(\r\n\t)");
  EXPECT_EQ(escape("\0\x01\x1b[31m\x7f"s), R"(\u0000\u0001\u001b[31m\u007f)");
}

TEST(Escape, HidesC1ControlsFromTerminals) {
  EXPECT_EQ(escape("\xc2\x9b"
                   "31m"),
            R"(\u009b31m)");
  EXPECT_EQ(escape("\xc2\xa0"), "\xc2\xa0");
}

TEST(Escape, ReplacesWhatIsNotUtf8) {
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(escape("\xff"), bad);
  EXPECT_EQ(escape("a\x80z"), "a" + bad + "z");
  EXPECT_EQ(escape("\xc3"), bad);                                // cut off at the end
  EXPECT_EQ(escape("\xc3\""), bad + "\\\"");                     // must not swallow the quote
  EXPECT_EQ(escape("\xe2\x82"), bad + bad);                      // cut off
  EXPECT_EQ(escape("\xc0\xaf"), bad + bad);                      // overlong
  EXPECT_EQ(escape("\xe0\x80\xaf"), bad + bad + bad);            // overlong
  EXPECT_EQ(escape("\xed\xa0\x80"), bad + bad + bad);            // a surrogate
  EXPECT_EQ(escape("\xf0\x80\x80\xaf"), bad + bad + bad + bad);  // overlong
  EXPECT_EQ(escape("\xf4\x90\x80\x80"), bad + bad + bad + bad);  // above U+10FFFF
  EXPECT_EQ(escape("\xf5\x80\x80\x80"), bad + bad + bad + bad);  // no such first byte
}

int replacements(std::string_view where) {
  int count = 0;
  for (auto found = where.find("\xef\xbf\xbd"); found != where.npos; found = where.find("\xef\xbf\xbd", found + 1))
    ++count;
  return count;
}

// Whatever the bytes: no control character, no naked quote, and only well-formed sequences come out.
TEST(Escape, IsSafeForEveryPairOfBytes) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      const auto escaped = escape(text);
      // A second pass finds nothing more to replace.
      ASSERT_EQ(replacements(escape(escaped)), replacements(escaped)) << first << ' ' << second;
      for (std::size_t i = 0; i < escaped.size(); ++i) {
        ASSERT_FALSE(static_cast<unsigned char>(escaped[i]) < 0x20 || escaped[i] == 0x7f) << first << ' ' << second;
        if (escaped[i] == '\\') {
          ++i;
          ASSERT_NE(std::string("\"\\nrtu").find(escaped.at(i)), std::string::npos) << first << ' ' << second;
        } else {
          ASSERT_NE(escaped[i], '"') << first << ' ' << second;
        }
      }
    }
  }
}

TEST(Json, WritesEachKindOfValue) {
  JsonObject inner;
  inner.add("x", 1);
  JsonObject object;
  object.add("text", "a\"b")
      .add("small", std::uint16_t{20001})
      .add("negative", -5)
      .add("large", UINT64_MAX)
      .add("least", INT64_MIN)
      .add("real", 0.25)
      .add("nan", std::numeric_limits<double>::quiet_NaN())
      .add("yes", true)
      .add("time", 1500ms)
      .add("chip", *ChipId::parse("c1"))
      .add("kind", ErrorKind::fenced)
      .add("inner", inner);
  EXPECT_EQ(object.text(), R"({"text":"a\"b","small":20001,"negative":-5,"large":18446744073709551615,)"
                           R"("least":-9223372036854775808,"real":0.25,"nan":null,"yes":true,"time":1.5,"chip":"c1",)"
                           R"("kind":"fenced","inner":{"x":1}})");
  EXPECT_EQ(JsonObject().text(), "{}");
}

TEST(Format, JsonIsOneObjectALine) {
  const std::array<LogField, 2> fields{{{"chip", "a"}, {"reason", "two\nlines"}}};
  EXPECT_EQ(
      format({at, LogLevel::warn, "draw_failed", fields}, LogFormat::json),
      R"({"ts":"2023-11-14T22:13:20.042Z","level":"warn","event":"draw_failed","chip":"a","reason":"two\nlines"})");
}

TEST(Format, TextQuotesWhatIsNotOneWord) {
  const std::array<LogField, 7> fields{{{"chip", "a-1"},
                                        {"target", "web.whatsapp.com:443"},
                                        {"empty", ""},
                                        {"forged", "x level=error"},
                                        {"equals", "a=b"},
                                        {"line", "a\nb"},
                                        {"ok", true}}};
  EXPECT_EQ(format({at, LogLevel::info, "tunnel", fields}, LogFormat::text),
            R"(2023-11-14T22:13:20.042Z info tunnel chip=a-1 target=web.whatsapp.com:443 empty="" )"
            R"(forged="x level=error" equals="a=b" line="a\nb" ok=true)");
}

TEST(Format, KnowsItsLevels) {
  EXPECT_EQ(name(LogLevel::debug), "debug");
  EXPECT_EQ(name(LogLevel::error), "error");
}

}  // namespace
}  // namespace chipgate::telemetry
