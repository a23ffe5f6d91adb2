// Values that would be understood as something else than was meant, and are refused.
#include "fixture.hpp"

#include <gtest/gtest.h>

namespace chipgate::config {
namespace {

// A gateway in line 1, and what is wrong from line 2 on. One problem: what follows from it is not told besides.
void expect_refused(const std::string& text, const std::string& problem) {
  const auto found = problems(with_gateway(text));
  ASSERT_EQ(found.size(), 1U) << text << "\n" << testing::PrintToString(found);
  EXPECT_TRUE(found.front().starts_with(problem)) << text << "\n" << found.front();
}

std::string hint_of(const std::string& text) {
  const auto result = parse(with_gateway(text));
  return result.has_error() ? result.error().front().hint : std::string();
}

// No chips would be meant by one, and every destination by the other.
TEST(AListWithoutAValue, IsNotTakenForAnEmptyOne) {
  expect_refused("chips:", "2 chips has no value");
  expect_refused("chips:\n# - {id: alpha}\n", "2 chips has no value");
  expect_refused("destinations:\n  allow:", "3 destinations.allow has no value");
  expect_refused("destinations:\n  deny:\n", "3 destinations.deny has no value");
  expect_refused("listen:\n  address: 0.0.0.0\n  allow_clients:\n", "4 listen.allow_clients has no value");
  expect_refused("verify: {echoes_v4: }", "2 verify.echoes_v4 has no value");
  EXPECT_EQ(hint_of("chips:"), "write [] where there are none");
  EXPECT_TRUE(settings(with_gateway("chips: []\ndestinations: {allow: []}")).chips.empty());
}

TEST(ClientCredentials, AreNotEmpty) {
  const auto credentials = [](const std::string& written) {
    return "listen:\n  address: 0.0.0.0\n  client_credentials:\n    " + written;
  };
  expect_refused(credentials("username: \"\"\n    password: hunter2"), "5 listen.client_credentials.username is empty");
  expect_refused(credentials("username: \"${EMPTY}\"\n    password: hunter2"),
                 "5 listen.client_credentials.username is empty");
  expect_refused(credentials("username: bots\n    password: \"${EMPTY}\""),
                 "6 listen.client_credentials.password is empty");
  expect_refused(credentials("username: bots\n    password_file: empty"),
                 "6 listen.client_credentials.password_file is empty");
}

TEST(AQuotaOfNothing, IsRefused) {
  expect_refused("chips:\n- {id: a, quota: {day: 0MB}}", "3 chips[0].quota.day \"0MB\" is no quota");
  expect_refused("chips:\n- {id: a, quota: {month: 0kB}}", "3 chips[0].quota.month \"0kB\" is no quota");
}

TEST(APresetOfDestinations, HasNoPortsBesideItsOwn) {
  expect_refused("destinations: {allow: [\"whatsapp:443\"]}",
                 "2 destinations.allow[0] \"whatsapp:443\" is not a destination");
  expect_refused("destinations: {deny: [\"whatsapp:1-65534\"]}", "2 destinations.deny[0] \"whatsapp:1-65534\" is not");
  EXPECT_EQ(hint_of("destinations: {allow: [\"whatsapp:443\"]}"), "whatsapp is a preset and has its ports");
  EXPECT_EQ(settings(with_gateway("destinations: {allow: [\"printer:9100\"]}")).proxy.destinations.allow.size(), 1U);
}

TEST(AWebhook, IsNotSilentByMistake) {
  const auto webhook = [](const std::string& events) {
    return "admin: {webhook: {url: \"http://a.example/\", secret: x, events: " + events + "}}";
  };
  expect_refused(webhook("[chip.bloked]"), "2 admin.webhook.events[0] \"chip.bloked\" fits no event");
  expect_refused(webhook("[chip.*, chips.*]"), "2 admin.webhook.events[1] \"chips.*\" fits no event");
  expect_refused(webhook("[]"), "2 admin.webhook.events is empty");
  expect_refused(webhook(""), "2 admin.webhook.events has no value");
  EXPECT_EQ(hint_of(webhook("[chip.bloked]")), "did you mean chip.blocked?");
  EXPECT_EQ(settings(with_gateway(webhook("[\"*\", gateway.refusing]"))).admin.webhook->events.size(), 2U);
}

TEST(AnAuthorityThatIsNotThere, IsMissedBeforeTheStart) {
  const auto found = problems(
      "gateway:\n  username: a\n  password: b\n  endpoints: [\"https://a.example:1\"]\n"
      "  tls:\n    ca_file: absent.pem\n");
  EXPECT_EQ(found, std::vector<std::string>{"6 gateway.tls.ca_file cannot be read: No such file or directory"});
}

TEST(APrice, IsANumberInAKnownKindOfMoney) {
  expect_refused("admin: {price_per_gb: nan}", "2 admin.price_per_gb \"nan\" is not a price");
  expect_refused("admin: {price_per_gb: inf}", "2 admin.price_per_gb \"inf\" is not a price");
  expect_refused("admin: {currency: 123}", "2 admin.currency is not three letters");
  expect_refused("admin: {currency: \"€\"}", "2 admin.currency is not three letters");
}

// The API takes the same.
TEST(AnAlias, IsAsLongAsTheApiAllows) {
  const auto chip = [](const std::string& alias) { return "chips: [{id: a, alias: \"" + alias + "\"}]"; };
  EXPECT_EQ(settings(with_gateway(chip(std::string(128, 'x')))).chips.front().alias.size(), 128U);
  expect_refused(chip(std::string(129, 'x')), "2 chips[0].alias is longer than 128 bytes");
  expect_refused(chip("a\\tb"), "2 chips[0].alias contains a control character");
}

}  // namespace
}  // namespace chipgate::config
