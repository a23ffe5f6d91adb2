// What is shown of a configuration, and what never.
#include "chipgate/config/redact.hpp"

#include "complete.hpp"
#include "fixture.hpp"

#include <filesystem>
#include <gtest/gtest.h>

namespace chipgate::config {
namespace {

TEST(RedactedYaml, HidesTheAccountAndParsesAgainToTheSame) {
  for (const auto& text_of_file :
       {std::string(complete), with_gateway("admin: {listen: \"unix:/run/x\", token: hunter2hunter2hunter2}"),
        with_gateway("chips: [{id: a, alias: \"$${x}: \\\"'#\"}, {id: \"0x1\", alias: \"true\", port: 0}]"),
        std::string("gateway: {preset: custom, username: alice, password: hunter2, endpoints: [\"http://a:1\"],\n"
                    "  username_template: \"{username}[-cc-{country}]-{session}\", session: {length: 10}}")}) {
    const auto made = settings(text_of_file);
    const auto yaml = redacted_yaml(made);
    EXPECT_EQ(yaml.find(secret), std::string::npos) << yaml;
    EXPECT_EQ(yaml.find("alice"), std::string::npos) << yaml;
    const auto again = parse(yaml, "/chipgate.yaml", environment());
    ASSERT_TRUE(again.has_value()) << yaml << text(again.error().front());
    EXPECT_EQ(redacted_yaml(again->settings), yaml);
    EXPECT_EQ(again->settings.chips.size(), made.chips.size());
    EXPECT_EQ(again->settings.proxy.destinations.allow.size(), made.proxy.destinations.allow.size());
  }
}

// What is shown may be read again, however much it is.
TEST(RedactedYaml, OfTheMostChipsIsNoLargerThanAFileMayBe) {
  const std::string id(58, 'i');
  std::string alias;
  for (int i = 0; i < 61; ++i) alias += "\\u0085";  // two bytes of the 128, and written as an escape
  const auto made =
      settings(with_gateway("chips: [{id: \"" + id + "-{n}\", numbers: 10001-30000, port: 20001, alias: \"" + alias +
                            "{n}\", quota: {day: 999999GB, month: 1000000TB}, max_whatsapp_sessions: 1000}]"));
  ASSERT_EQ(made.chips.size(), 20'000U);
  EXPECT_LE(redacted_yaml(made).size(), largest_file);
}

TEST(RedactedYaml, HidesAWebhooksQueryToo) {
  const auto yaml = redacted_yaml(
      settings(with_gateway("admin: {webhook: {url: \"https://example.org?key=hunter2\", secret: hunter2}}")));
  EXPECT_EQ(yaml.find(secret), std::string::npos) << yaml;
}

TEST(RedactedYaml, HidesWhatATemplateSaysInThePlaceOfTheAccount) {
  const auto shown = [](const std::string& templates) {
    const auto yaml =
        redacted_yaml(settings("gateway: {preset: custom, username: alice, password: hunter2, endpoints: "
                               "[\"http://a:1\"], " +
                               templates + "}"));
    EXPECT_EQ(yaml.find(secret), std::string::npos) << yaml;
    const auto again = parse(yaml, "/chipgate.yaml", environment());
    EXPECT_TRUE(again.has_value()) << yaml;
    return yaml;
  };
  const auto literal = shown("username_template: \"hunter2[-cc-{country}]-sid-{session}\", password_template: hunter2");
  EXPECT_NE(literal.find("username_template: \"***[***{country}]***{session}\""), std::string::npos) << literal;
  EXPECT_NE(literal.find("password_template: \"***\""), std::string::npos) << literal;
  const auto plain = shown("username_template: \"user-{username}-sid-{session}\", password_template: \"{password}!\"");
  EXPECT_NE(plain.find("user-{username}-sid-{session}"), std::string::npos) << "this is the grammar, and no secret";
}

TEST(RedactedYaml, HidesTheQueriesOfEchoes) {
  const auto yaml = redacted_yaml(
      settings(with_gateway("verify: {echoes_v4: [\"http://a.example/ip?key=hunter2\", \"http://b.example/\"]}")));
  EXPECT_EQ(yaml.find(secret), std::string::npos) << yaml;
  EXPECT_NE(yaml.find("http://a.example:80/ip?***"), std::string::npos) << yaml;
}

TEST(RedactedYaml, NamesFilesByTheirWholePaths) {
  const auto here = std::filesystem::current_path().string();
  const auto yaml = redacted_yaml(settings(complete));
  for (const auto* file : {"etc/ca.pem", "etc/chipgate.db", "etc/secrets/token", "etc/log/chipgate.log"}) {
    EXPECT_NE(yaml.find(": " + here + "/" + file + "\n"), std::string::npos) << file << " in\n" << yaml;
  }
}

}  // namespace
}  // namespace chipgate::config
