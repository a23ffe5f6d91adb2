// The table of presets, the template language, the digest.
#include "chipgate/provider/preset.hpp"

#include "chipgate/provider/provider.hpp"
#include "chipgate/provider/template.hpp"

#include <gtest/gtest.h>
#include <set>

namespace chipgate::provider {
namespace {

TEST(EveryPresetAtOnce, IsReadableAndNamedOnce) {
  std::set<std::string_view> names;
  for (const auto& preset : presets()) {
    names.insert(preset.name);
    EXPECT_TRUE(std::holds_alternative<Template>(Template::parse(preset.username_template))) << preset.name;
    EXPECT_TRUE(std::holds_alternative<Template>(Template::parse(preset.password_template))) << preset.name;
    if (!preset.host.empty()) {
      EXPECT_TRUE(serves(preset, preset.host)) << preset.name;
    }
    if (preset.wire.form == WireForm::random) {
      EXPECT_GE(preset.wire.length, 8U) << preset.name;
    }
  }
  EXPECT_EQ(names.size(), presets().size());
  EXPECT_EQ(presets().front().name, ProviderOptions{}.preset);
}

TEST(Preset, IsSuggestedByItsHost) {
  EXPECT_EQ(preset_for_host("proxy.smartproxy.net")->name, "smartproxy");
  EXPECT_EQ(preset_for_host("GATE.decodo.com")->name, "decodo");
  EXPECT_EQ(preset_for_host("gate.smartproxy.com")->name, "decodo");
  EXPECT_EQ(preset_for_host("brd.superproxy.io")->name, "brightdata");
  EXPECT_EQ(preset_for_host("geo.iproyal.com")->name, "iproyal");
  EXPECT_EQ(preset_for_host("example.com"), nullptr);
  EXPECT_EQ(preset_for_host("notdecodo.com"), nullptr);
}

TEST(BrightData, SendsIpLiteralsElsewhere) {
  for (const auto& preset : presets()) EXPECT_EQ(preset.carries_ip_literals, preset.name != "brightdata");
}

TEST(Echoes, AreTwoOfEachFamilyOverPlainHttp) {
  std::size_t v4 = 0;
  for (const auto& echo : default_echoes()) {
    EXPECT_TRUE(echo.url.starts_with("http://"));
    if (echo.family == EchoFamily::v4) ++v4;
  }
  EXPECT_GE(v4, 2U);
  EXPECT_GE(default_echoes().size() - v4, 2U);
}

TEST(Digest, TellsCredentialsApart) {
  const auto digest = [](const char* username, const char* password) {
    return credentials_digest({Secret(username), Secret(password)});
  };
  EXPECT_EQ(digest("a", "b").size(), 64U);
  EXPECT_EQ(digest("a", "b"), digest("a", "b"));
  EXPECT_NE(digest("a", "bc"), digest("ab", "c"));
  // sha256("5:aliceb")
  EXPECT_EQ(digest("alice", "b"), "99ca5cfe252752928ca2fbdf14dc0b9c5d21964782d355e7dd980bbd8955e777");
}

TEST(Template, SaysWhatIsWrongWithIt) {
  for (const auto* text :
       {"{username", "a}b", "[{country}", "{country}]", "[[{country}]]", "[abc]", "{}", "{Username}"}) {
    EXPECT_TRUE(std::holds_alternative<std::string>(Template::parse(text))) << text;
  }
}

TEST(Template, LeavesOutABracketIfAnyOfItsValuesIsMissing) {
  const auto parsed = std::get<Template>(Template::parse("x[-{country}-{city}][+{city}]y"));
  Values values;
  EXPECT_EQ(parsed.render(values), "xy");
  values[Placeholder::city] = "c";
  EXPECT_EQ(parsed.render(values), "x+cy");
  values[Placeholder::country] = "b";
  EXPECT_EQ(parsed.render(values), "x-b-c+cy");
}

}  // namespace
}  // namespace chipgate::provider
