// Which targets rules match, which rule wins, and what is no rule.
#include "chipgate/protocol/destinations.hpp"

#include "wire.hpp"

#include <gtest/gtest.h>

namespace chipgate::protocol {
namespace {

using Texts = std::vector<std::string_view>;

bool matches(std::string_view rule, std::string_view target) {
  const auto parsed = DestinationRule::parse(rule);
  const auto authority = parse_authority(target);
  if (!parsed || !authority) ADD_FAILURE() << rule << " or " << target << " is not one";
  return parsed && authority && parsed->matches(Destination(*authority));
}

std::vector<DestinationRule> rules(const Texts& texts) {
  std::vector<DestinationRule> parsed;
  for (const auto text : texts) parsed.push_back(DestinationRule::parse(text).value());
  return parsed;
}

// Empty where the target is carried, else what the refusal says of the rule.
std::string refusal(const Texts& allow, const Texts& deny, std::string_view target) {
  const auto checked = Destinations{rules(allow), rules(deny)}.check(parse_authority(target).value());
  if (checked.has_value()) return {};
  EXPECT_EQ(checked.error(), ErrorKind::destination_denied);
  return checked.error().detail;
}

TEST(DestinationRule, OfANameMatchesThatNameOnly) {
  EXPECT_TRUE(matches("web.whatsapp.com", "web.whatsapp.com:443"));
  EXPECT_TRUE(matches("web.whatsapp.com", "web.whatsapp.com:80"));
  EXPECT_FALSE(matches("web.whatsapp.com", "a.web.whatsapp.com:443"));
  EXPECT_FALSE(matches("web.whatsapp.com", "whatsapp.com:443"));
  EXPECT_FALSE(matches("web.whatsapp.com", "web.whatsapp.com.evil.example:443"));
}

TEST(DestinationRule, ComparesNamesWithoutCaseAndFinalDot) {
  EXPECT_TRUE(matches("Web.WhatsApp.com.", "WEB.whatsapp.COM.:443"));
  EXPECT_TRUE(matches("*.WhatsApp.net.", "MMG.whatsapp.net.:443"));
}

TEST(DestinationRule, OfASuffixMatchesWhatIsBelowAtAnyDepth) {
  for (const auto* rule : {"*.whatsapp.net", ".whatsapp.net"}) {
    EXPECT_TRUE(matches(rule, "mmg.whatsapp.net:443")) << rule;
    EXPECT_TRUE(matches(rule, "media.fgru1-1.fna.whatsapp.net:443")) << rule;
    EXPECT_FALSE(matches(rule, "whatsapp.net:443")) << rule;
    EXPECT_FALSE(matches(rule, "evilwhatsapp.net:443")) << rule;
    EXPECT_FALSE(matches(rule, "mmg.whatsapp.net.evil.example:443")) << rule;
  }
}

TEST(DestinationRule, OfANetworkMatchesAddressesThatTheClientWrote) {
  EXPECT_TRUE(matches("10.0.0.0/8", "10.255.0.1:443"));
  EXPECT_FALSE(matches("10.0.0.0/8", "11.0.0.1:443"));
  EXPECT_TRUE(matches("192.0.2.1", "192.0.2.1:80"));
  EXPECT_FALSE(matches("192.0.2.1", "192.0.2.2:80"));
  EXPECT_TRUE(matches("0.0.0.0/0", "203.0.113.9:1"));
  EXPECT_FALSE(matches("0.0.0.0/0", "[2001:db8::1]:1"));
  EXPECT_FALSE(matches("0.0.0.0/0", "web.whatsapp.com:443"));
}

TEST(DestinationRule, KnowsIPv6WithAndWithoutPorts) {
  EXPECT_TRUE(matches("2001:db8::/32", "[2001:db8:1::2]:443"));
  EXPECT_FALSE(matches("2001:db8::/32", "[2001:db9::1]:443"));
  EXPECT_TRUE(matches("[2001:db8::/32]:443", "[2001:db8::1]:443"));
  EXPECT_FALSE(matches("[2001:db8::/32]:443", "[2001:db8::1]:80"));
  EXPECT_TRUE(matches("::1", "[::1]:22"));
  EXPECT_TRUE(matches("[::1]", "[::1]:22"));
}

TEST(DestinationRule, SeesAMappedAddressAsTheOneThatItMeans) {
  EXPECT_TRUE(matches("10.0.0.0/8", "[::ffff:10.1.2.3]:443"));
  EXPECT_TRUE(matches("::ffff:10.1.2.3", "10.1.2.3:443"));
  EXPECT_FALSE(matches("::/0", "[::ffff:10.1.2.3]:443"));
}

TEST(DestinationRule, OfANameNeverMatchesAnAddress) {
  EXPECT_FALSE(DestinationRule::parse("*.1"));
  EXPECT_FALSE(matches("*.example", "192.0.2.1:443"));
}

TEST(DestinationRule, MayBeAboutOnePortOrARange) {
  EXPECT_TRUE(matches("a.example:443", "a.example:443"));
  EXPECT_FALSE(matches("a.example:443", "a.example:444"));
  for (const auto* inside : {"a.example:8000", "a.example:8050", "a.example:8099"}) {
    EXPECT_TRUE(matches("*.example:8000-8099", "x." + std::string(inside)));
    EXPECT_TRUE(matches("a.example:8000-8099", inside));
  }
  EXPECT_FALSE(matches("a.example:8000-8099", "a.example:7999"));
  EXPECT_FALSE(matches("a.example:8000-8099", "a.example:8100"));
  EXPECT_TRUE(matches("10.0.0.0/8:1-1023", "10.0.0.1:22"));
  EXPECT_FALSE(matches("10.0.0.0/8:1-1023", "10.0.0.1:1024"));
}

TEST(DestinationRule, OfAStarMatchesNamesAndAddresses) {
  for (const auto* target : {"a.example:25", "192.0.2.1:25", "[2001:db8::1]:25"}) {
    EXPECT_TRUE(matches("*", target));
    EXPECT_TRUE(matches("*:25", target));
    EXPECT_FALSE(matches("*:443", target));
  }
}

TEST(DestinationRule, IsWrittenInOneFormThatIsReadAgain) {
  const std::vector<std::pair<std::string_view, std::string_view>> forms{
      {"Web.WhatsApp.com.:443", "web.whatsapp.com:443"},
      {".whatsapp.net", "*.whatsapp.net"},
      {"*", "*"},
      {"*:443", "*:443"},
      {"a.example:1-65535", "a.example"},
      {"a.example:80-80", "a.example:80"},
      {"192.0.2.1", "192.0.2.1/32"},
      {"10.0.0.0/8:8000-8099", "10.0.0.0/8:8000-8099"},
      {"2001:DB8::/32", "2001:db8::/32"},
      {"[2001:db8::1]:443", "[2001:db8::1/128]:443"}};
  for (const auto& [written, form] : forms) {
    const auto rule = DestinationRule::parse(written);
    ASSERT_TRUE(rule) << written;
    EXPECT_EQ(rule->text(), form);
    const auto again = DestinationRule::parse(form);
    ASSERT_TRUE(again) << form;
    EXPECT_EQ(again->text(), form);
  }
}

TEST(DestinationRule, IsNotWhatCouldBeReadInTwoWays) {
  for (const auto* text : {"",
                           ":443",
                           "a.example:",
                           "a.example:0",
                           "a.example:65536",
                           "a.example:443-",
                           "a.example:-443",
                           "a.example:90-80",
                           "a.example:https",
                           "a.example:443:443",
                           "*.",
                           ".",
                           "**.example",
                           "a.*.example",
                           "*example",
                           "a..example",
                           "..example",
                           "*..example",
                           "*.192.0.2.1",
                           "127.1",
                           "10.0.0.0/33",
                           "10.0.0.0/",
                           "10.0.0/8",
                           "2001:db8::/129",
                           "[10.0.0.0/8]:443",
                           "[a.example]:443",
                           "[2001:db8::1",
                           "[]:443",
                           "[*]:443",
                           "http://a.example",
                           "a.example/x",
                           "a b.example",
                           "a.example :443",
                           "me@a.example",
                           "[::1]443"}) {
    EXPECT_FALSE(DestinationRule::parse(text)) << text;
  }
}

TEST(DestinationRule, SurvivesNoise) {
  RandomBytes random(11);
  for (int round = 0; round < 10'000; ++round) {
    for (const auto* text : {"*.whatsapp.net:443-444", "[2001:db8::/32]:443", "10.0.0.0/8:80"}) {
      const auto rule = DestinationRule::parse(random.mutate(text));
      if (rule) EXPECT_EQ(DestinationRule::parse(rule->text()).value().text(), rule->text());
    }
  }
}

TEST(Destinations, CarryEverythingWhereNothingIsSaid) {
  EXPECT_EQ(refusal({}, {}, "anything.example:25"), "");
  EXPECT_EQ(refusal({}, {}, "[::1]:25"), "");
}

TEST(Destinations, CarryOnlyWhatIsAllowedWhereSomethingIs) {
  EXPECT_EQ(refusal({"a.example", "*.b.example:443"}, {}, "a.example:25"), "");
  EXPECT_EQ(refusal({"a.example", "*.b.example:443"}, {}, "x.b.example:443"), "");
  EXPECT_EQ(refusal({"a.example", "*.b.example:443"}, {}, "x.b.example:80"), "no rule of destinations.allow");
}

TEST(Destinations, AreDeniedWhateverIsAllowedAndTheRuleIsNamed) {
  EXPECT_EQ(refusal({"*"}, {"b.example", ".A.example:25"}, "x.a.example:25"), "destinations.deny has *.a.example:25");
  EXPECT_EQ(refusal({"x.a.example"}, {"*.a.example"}, "x.a.example:443"), "destinations.deny has *.a.example");
  EXPECT_EQ(refusal({}, {"*.a.example"}, "a.example:443"), "");
}

// What Node's socks5:// does.
TEST(Destinations, SayWhyAnAddressIsNotFoundAmongNames) {
  EXPECT_EQ(refusal({"*.whatsapp.net"}, {}, "192.0.2.1:443"),
            "no rule of destinations.allow; rules about names do not apply to addresses: use socks5h://, or a name");
}

TEST(Presets, OfWhatsAppCarryWhatItsClientsNeedAndNothingElse) {
  ASSERT_EQ(destination_presets().size(), 1U);
  const auto& preset = destination_presets().front();
  EXPECT_EQ(preset.name, "whatsapp");
  const Texts allow(preset.rules.begin(), preset.rules.end());
  for (const auto* host : {"web.whatsapp.com", "whatsapp.com", "whatsapp.net", "mmg.whatsapp.net",
                           "media-gru1-1.cdn.whatsapp.net", "media.fgru3-1.fna.whatsapp.net", "pps.whatsapp.net",
                           "static.whatsapp.net", "graph.whatsapp.com", "graph.whatsapp.net", "crashlogs.whatsapp.net",
                           "dit.whatsapp.net", "icanhazip.com", "raw.githubusercontent.com"}) {
    EXPECT_EQ(refusal(allow, {}, std::string(host) + ":443"), "") << host;
    EXPECT_NE(refusal(allow, {}, std::string(host) + ":80"), "") << host;
    EXPECT_TRUE(is_for_whatsapp({host, 443})) << host;
    EXPECT_FALSE(is_for_whatsapp({host, 80})) << host;
  }
  for (const auto* target : {"accounts.google.com:443", "update.googleapis.com:443", "github.com:443",
                             "notwhatsapp.com:443", "ipv4.icanhazip.com:443", "157.240.12.53:443"}) {
    EXPECT_NE(refusal(allow, {}, target), "") << target;
  }
}

}  // namespace
}  // namespace chipgate::protocol
