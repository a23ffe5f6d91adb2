// What each preset writes, and what it refuses.
#include "chipgate/provider/provider.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

namespace chipgate::provider {
namespace {

ProviderOptions options(std::string preset) {
  ProviderOptions made;
  made.preset = std::move(preset);
  made.username = "alice";
  made.password = Secret("hunter2");
  return made;
}

ProviderOptions custom(std::string username_template) {
  auto made = options("custom");
  made.username_template = std::move(username_template);
  return made;
}

ChipId chip(std::string_view text) { return *ChipId::parse(text); }

// "key: message" of every complaint.
std::vector<std::string> complaints(const ProviderOptions& given) {
  const auto made = Provider::make(given);
  std::vector<std::string> found;
  if (made.has_error()) {
    for (const auto& complaint : made.error()) found.push_back(complaint.key + ": " + complaint.message);
  }
  return found;
}

bool complains(const ProviderOptions& given, std::string_view start) {
  const auto all = complaints(given);
  return std::ranges::any_of(all, [&](const std::string& text) { return text.starts_with(start); });
}

TEST(Smartproxy, CarriesTheSessionIdentifierItself) {
  const auto provider = Provider::make(options("smartproxy")).value();
  RandomBits bits = system_random();
  const auto wire = provider.wire_session(SessionIdentifier("chip-sales-01-1700000000"), bits);
  const auto credentials = provider.render(wire);
  EXPECT_EQ(credentials.username.reveal(), "alice-session-chip-sales-01-1700000000");
  EXPECT_EQ(credentials.password.reveal(), "hunter2");
  EXPECT_EQ(provider.idle_limit().length, std::chrono::minutes(30));
}

struct Grammar {
  const char* preset;
  const char* plain;     // with nothing but the account
  const char* complete;  // with country, city and 30 minutes
};

class EveryPreset : public testing::TestWithParam<Grammar> {};

std::string both(const Credentials& credentials) {
  return std::string(credentials.username.reveal()) + " " + std::string(credentials.password.reveal());
}

TEST_P(EveryPreset, WritesTheGrammarOfItsProvider) {
  const auto& expected = GetParam();
  auto given = options(expected.preset);
  EXPECT_EQ(both(Provider::make(given).value().render(WireSession("ID"))), expected.plain);
  if (expected.complete == nullptr) return;
  given.country = "Br";
  given.city = "santos";
  if (given.preset != "brightdata") given.lifetime = std::chrono::minutes(30);
  EXPECT_EQ(both(Provider::make(given).value().render(WireSession("ID"))), expected.complete);
}

INSTANTIATE_TEST_SUITE_P(
    Presets, EveryPreset,
    testing::Values(Grammar{"smartproxy", "alice-session-ID hunter2", nullptr},
                    Grammar{"smartproxy-net", "smart-alice_life-30_session-ID hunter2",
                            "smart-alice_area-BR_city-santos_life-30_session-ID hunter2"},
                    Grammar{"decodo", "user-alice-session-ID-sessionduration-1440 hunter2",
                            "user-alice-country-br-city-santos-session-ID-sessionduration-30 hunter2"},
                    Grammar{"brightdata", "alice-session-ID hunter2",
                            "alice-country-br-city-santos-session-ID hunter2"},
                    Grammar{"oxylabs", "customer-alice-sessid-ID-sesstime-1440 hunter2",
                            "customer-alice-cc-BR-city-santos-sessid-ID-sesstime-30 hunter2"},
                    Grammar{"iproyal", "alice hunter2_session-ID_lifetime-10080m",
                            "alice hunter2_country-br_city-santos_session-ID_lifetime-30m"},
                    Grammar{"soax", "package-alice-sessionid-ID-sessionlength-3600 hunter2",
                            "package-alice-country-br-city-santos-sessionid-ID-sessionlength-1800 hunter2"},
                    Grammar{"geonode", "alice-session-ID-lifetime-1440 hunter2", nullptr}),
    [](const auto& given) {
      std::string name = given.param.preset;
      std::erase(name, '-');
      return name;
    });

TEST(WireSession, IsRandomWithinTheProvidersAlphabet) {
  const auto provider = Provider::make(options("iproyal")).value();
  RandomBits bits = system_random();
  std::set<WireSession> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto session = provider.wire_session(SessionIdentifier("chip-a-1"), bits);
    EXPECT_EQ(session.value().size(), 8U);
    EXPECT_EQ(session.value().find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789"), std::string::npos);
    seen.insert(session);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(WireSession, DrawsAgainWhatWouldFavourSomeCharacters) {
  const auto provider = Provider::make(options("iproyal")).value();
  int calls = 0;
  RandomBits bits = [&calls] { return ++calls == 1 ? UINT64_MAX : std::uint64_t{0}; };
  EXPECT_EQ(provider.wire_session(SessionIdentifier("chip-a-1"), bits).value(), "aaaaaaaa");
  EXPECT_EQ(calls, 9);
}

TEST(ProviderOptions, AreRefusedWithEveryReasonAtOnce) {
  ProviderOptions given;
  given.preset = "decodo";
  given.country = "brazil";
  given.lifetime = std::chrono::seconds(90);
  EXPECT_TRUE(complains(given, "username: is missing"));
  EXPECT_TRUE(complains(given, "password: is missing"));
  EXPECT_TRUE(complains(given, "country: is not a country code"));
  EXPECT_TRUE(complains(given, "lifetime: must be whole minutes"));
}

TEST(ProviderOptions, MustHaveAPlaceInTheGrammar) {
  auto given = options("smartproxy");
  given.country = "br";
  given.city = "santos";
  given.lifetime = std::chrono::minutes(30);
  EXPECT_TRUE(complains(given, "country: has no place"));
  EXPECT_TRUE(complains(given, "city: has no place"));
  EXPECT_TRUE(complains(given, "lifetime: has no place"));
}

TEST(ProviderOptions, HaveALifetimeWithinTheProvidersRange) {
  auto given = options("geonode");
  given.lifetime = std::chrono::minutes(2);
  EXPECT_TRUE(complains(given, "lifetime: must be between 3min and 1d"));
  given.lifetime = std::chrono::minutes(3);
  EXPECT_EQ(Provider::make(given).value().absolute_lifetime().length, std::chrono::minutes(3));
}

TEST(Username, IsRefusedWhereItRepeatsWhatIsAdded) {
  auto given = options("decodo");
  given.username = "user-alice";
  EXPECT_TRUE(complains(given, "username: starts with \"user-\""));
  given.username = "alice-session-x";
  EXPECT_TRUE(complains(given, "username: already contains the parameter \"session\""));
  given.username = "alice-country-us";
  EXPECT_TRUE(complaints(given).empty());
  given.country = "br";
  EXPECT_TRUE(complains(given, "username: already contains the parameter \"country\""));
  given = options("smartproxy");
  given.username = "alice:pass";
  EXPECT_TRUE(complains(given, "username: contains ':'"));
  given.username = "al\nice";
  EXPECT_TRUE(complains(given, "username: contains a control character"));
  given.username = std::string(200, 'a');
  EXPECT_TRUE(complaints(given).empty());
  given.username = std::string(230, 'a');
  EXPECT_TRUE(complains(given, "username: gets longer than 255"));
}

TEST(Password, IsNeverQuotedInAComplaint) {
  auto given = options("iproyal");
  given.password = Secret("s3cr3t_session-x");
  const auto made = Provider::make(given);
  ASSERT_TRUE(made.has_error());
  EXPECT_TRUE(complains(given, "password: already contains the parameter \"session\""));
  for (const auto& complaint : made.error()) {
    EXPECT_EQ((complaint.key + complaint.message + complaint.hint).find("s3cr3t"), std::string::npos);
  }
}

TEST(City, MustNotEndItsParameter) {
  auto given = options("decodo");
  given.city = "rio-de-janeiro";
  EXPECT_TRUE(complains(given, "city: contains '-'"));
  given.city = "rio_de_janeiro";
  EXPECT_TRUE(complaints(given).empty());
}

TEST(Preset, TakesNoTemplates) {
  auto given = options("decodo");
  given.username_template = "{username}-{session}";
  given.session = RandomSession{};
  EXPECT_TRUE(complains(given, "username_template: belongs to the preset custom"));
  EXPECT_TRUE(complains(given, "session: belongs to the preset custom"));
}

TEST(Preset, IsNamedAmongTheKnownWhereItIsNot) {
  const auto made = Provider::make(options("smartprox"));
  ASSERT_TRUE(made.has_error());
  EXPECT_EQ(made.error().front().key, "preset");
  EXPECT_NE(made.error().front().hint.find("smartproxy, smartproxy-net, decodo"), std::string::npos);
}

TEST(Custom, NeedsATemplateWithASession) {
  EXPECT_TRUE(complains(options("custom"), "username_template: is missing"));
  EXPECT_TRUE(complains(custom("{username}"), "username_template: has no {session}"));
  EXPECT_TRUE(complains(custom("{username}[-s-{session}]"), "username_template: has {session} in brackets only"));
  EXPECT_TRUE(complains(custom("{user}-{session}"), "username_template: unknown placeholder {user}"));
  EXPECT_TRUE(complains(custom("{username}-{country}-{session}"), "country: is missing"));
  EXPECT_TRUE(complains(custom("{username}-{lifetime_minutes}-{session}"), "lifetime: is missing"));
}

TEST(Custom, MayPutTheSessionIntoThePassword) {
  auto given = custom("{username}");
  given.password_template = "{password}[_{country}]_{session}";
  given.session = RandomSession{"0123456789", 9};
  const auto provider = Provider::make(given).value();
  EXPECT_EQ(both(provider.render(WireSession("123"))), "alice hunter2_123");
}

TEST(Custom, CannotPutAnIdentifierBeforeAnotherParameter) {
  auto given = custom("{username}-session-{session}[-country-{country}]");
  EXPECT_TRUE(complains(given, "session: the '-' in chip-x-1"));
  given.session = RandomSession{};
  EXPECT_TRUE(complaints(given).empty());
}

TEST(Custom, RefusesSessionsThatAreTooFewOrCarrySeparators) {
  auto given = custom("{username}-{session}");
  given.session = RandomSession{"ab-", 20};
  EXPECT_TRUE(complains(given, "session.alphabet: has characters other"));
  given.session = RandomSession{"aab", 20};
  EXPECT_TRUE(complains(given, "session.alphabet: has a character twice"));
  given.session = RandomSession{"0123456789", 5};
  EXPECT_TRUE(complains(given, "session.length: gives fewer"));
  given.session = RandomSession{"", 8};
  EXPECT_TRUE(complains(given, "session.length: gives fewer"));
}

TEST(ChipIds, ThatReadAsAParameterAreRefused) {
  const auto provider = Provider::make(options("smartproxy")).value();
  for (const auto* text : {"a", "sales-01", "6a2f41a3-c54c-fce8-32d2-0324e1c32e22", "a_country_us", "countryside"}) {
    EXPECT_FALSE(provider.complaint(chip(text))) << text;
  }
  for (const auto* text : {"a-country-us", "country", "x-session", "Life-30"}) {
    EXPECT_TRUE(provider.complaint(chip(text))) << text;
  }
}

TEST(ChipIds, AreFreeWhereTheWireSessionIsRandom) {
  const auto provider = Provider::make(options("decodo")).value();
  EXPECT_FALSE(provider.complaint(chip("a-country-us")));
}

TEST(ChipIds, ThatMakeTheUsernameTooLongAreRefused) {
  auto given = options("smartproxy");
  given.username = std::string(200, 'a');
  const auto provider = Provider::make(given).value();
  EXPECT_FALSE(provider.complaint(chip("a")));
  EXPECT_TRUE(provider.complaint(chip(std::string(64, 'a'))));
}

}  // namespace
}  // namespace chipgate::provider
