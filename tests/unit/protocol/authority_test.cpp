// Targets have one form, and what could be read in two ways is no target.
#include "chipgate/protocol/authority.hpp"

#include "wire.hpp"

#include <gtest/gtest.h>

namespace chipgate::protocol {
namespace {

TEST(Authority, ReadsNamesAndAddressesOfBothFamilies) {
  EXPECT_EQ(parse_authority("web.whatsapp.com:443"), (Authority{"web.whatsapp.com", 443}));
  EXPECT_EQ(parse_authority("192.0.2.1:80"), (Authority{"192.0.2.1", 80}));
  EXPECT_EQ(parse_authority("[2001:db8::1]:443"), (Authority{"2001:db8::1", 443}));
  EXPECT_EQ(parse_authority("media-gru1-1.cdn_x.whatsapp.net:65535")->port, 65535);
}

TEST(Authority, HasOneFormForOneHost) {
  EXPECT_EQ(parse_authority("WEB.WhatsApp.Com:443")->text(), "web.whatsapp.com:443");
  EXPECT_EQ(parse_authority("web.whatsapp.com.:443")->text(), "web.whatsapp.com:443");
  EXPECT_EQ(parse_authority("[2001:DB8:0:0::1]:443")->text(), "[2001:db8::1]:443");
  EXPECT_EQ(parse_authority("[::ffff:192.0.2.1]:443")->text(), "192.0.2.1:443");
}

TEST(Authority, KnowsAnIpLiteralFromAName) {
  EXPECT_TRUE(parse_authority("192.0.2.1:443")->is_ip_literal());
  EXPECT_TRUE(parse_authority("192.0.2.1.:443")->is_ip_literal());
  EXPECT_TRUE(parse_authority("[::1]:443")->is_ip_literal());
  EXPECT_FALSE(parse_authority("1.2.3.4.example:443")->is_ip_literal());
}

TEST(Authority, RefusesNamesThatAResolverCouldReadAsAnAddress) {
  for (const auto* text : {"127.1:443", "2130706433:443", "0x7f000001:443", "0X7F.1:443", "1.2.3.4.5:443",
                           "256.1.1.1:443", "example.0x1f:443", "01.2.3.4:443"}) {
    EXPECT_FALSE(parse_authority(text)) << text;
  }
}

TEST(Authority, RefusesHostileText) {
  for (const auto* text : {"",
                           ":",
                           ":443",
                           "host",
                           "host:",
                           "host:0",
                           "host:65536",
                           "host:0443",
                           "host:+443",
                           "host:443x",
                           "host: 443",
                           " host:443",
                           "host :443",
                           "user@host:443",
                           "user:pass@host:443",
                           "host:443/",
                           "host:443:443",
                           "host/x:443",
                           "ho\tst:443",
                           "ho\x7fst:443",
                           "h\xc3\xb6st:443",
                           "host%20:443",
                           "[::1:443",
                           "::1:443",
                           "[::1]443",
                           "[::1]",
                           "[]:443",
                           "[host]:443",
                           "[192.0.2.1]:443",
                           "[::1%lo]:443",
                           "x[::1]:443",
                           "[::1]x:443",
                           ".host:443",
                           "a..b:443",
                           ".:443",
                           "..:443",
                           "host\r\nX: y:443",
                           "ho,st:443",
                           "ho\\st:443",
                           "*:443"}) {
    EXPECT_FALSE(parse_authority(text)) << text;
  }
  EXPECT_FALSE(parse_authority(raw("ho\0st:443")));
  EXPECT_FALSE(parse_authority(raw("1.2.3.4\0:443")));
}

TEST(Authority, RefusesAHostLongerThan255Bytes) {
  EXPECT_TRUE(parse_authority(std::string(255, 'a') + ":443"));
  EXPECT_FALSE(parse_authority(std::string(256, 'a') + ":443"));
}

TEST(Authority, TakesTheDefaultPortWhereNoneIsSaid) {
  EXPECT_EQ(parse_authority("example.test", 80), (Authority{"example.test", 80}));
  EXPECT_EQ(parse_authority("example.test:", 80), (Authority{"example.test", 80}));
  EXPECT_EQ(parse_authority("[::1]", 80), (Authority{"::1", 80}));
  EXPECT_EQ(parse_authority("example.test:8080", 80), (Authority{"example.test", 8080}));
  for (const auto* text : {"", ":80", "::1", "user@host", "host:0", "host:x", "[::1", "[::1]x"}) {
    EXPECT_FALSE(parse_authority(text, 80)) << text;
  }
}

TEST(Authority, OfABareHostIsThatOfSocks) {
  EXPECT_EQ(make_authority("::1", 443)->text(), "[::1]:443");
  EXPECT_EQ(make_authority("Example.TEST", 443)->text(), "example.test:443");
  EXPECT_FALSE(make_authority("[::1]", 443));
  EXPECT_FALSE(make_authority("example.test", 0));
}

TEST(HttpUrl, ReadsTheAbsoluteForm) {
  const auto url = parse_absolute_url("http://Clients2.Google.com/time/1/current?cup2key=8:x&y=http://z");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->authority, (Authority{"clients2.google.com", 80}));
  EXPECT_EQ(url->path_and_query, "/time/1/current?cup2key=8:x&y=http://z");
  EXPECT_EQ(parse_absolute_url("HTTP://web.whatsapp.com:443/ws/chat")->authority.port, 443);
  EXPECT_EQ(parse_absolute_url("http://[2001:db8::1]:8080/")->authority.text(), "[2001:db8::1]:8080");
}

TEST(HttpUrl, AlwaysHasAPath) {
  EXPECT_EQ(parse_absolute_url("http://example.test")->path_and_query, "/");
  EXPECT_EQ(parse_absolute_url("http://example.test?q")->path_and_query, "/?q");
}

TEST(HttpUrl, SaysWhatIsWrong) {
  EXPECT_EQ(parse_absolute_url("https://mmg.whatsapp.net/v/t").error(), ErrorKind::cleartext_https);
  EXPECT_EQ(parse_absolute_url("HTTPS://x").error(), ErrorKind::cleartext_https);
  // The host helps to find the client; a path, a query and userinfo may be secrets.
  EXPECT_EQ(parse_absolute_url("https://a.example/secret?x").error().detail, "a.example:443");
  EXPECT_EQ(parse_absolute_url("https://a.example:8443?secret").error().detail, "a.example:8443");
  EXPECT_EQ(parse_absolute_url("https://me:secret@a.example/").error().detail, "");
  for (const auto* target :
       {"/", "/metrics", "*", "", "web.whatsapp.com:443", "ftp://x/", "ws://x/", "http:/x", "http"}) {
    EXPECT_EQ(parse_absolute_url(target).error(), ErrorKind::not_a_proxy_request) << target;
  }
  for (const auto* target : {"http://", "http:///x", "http://user@host/", "http://user:pass@host/", "http://host:0/",
                             "http://host:99999/", "http://host/#fragment", "http://host#x", "http://host/a b",
                             "http://host/\x01", "http://ho st/", "http://::1/"}) {
    EXPECT_EQ(parse_absolute_url(target).error(), ErrorKind::malformed_request) << target;
  }
}

TEST(Authority, SurvivesNoiseAndReadsBackWhatItWrites) {
  RandomBytes random(1);
  for (int round = 0; round < 20'000; ++round) {
    const auto text = random.mutate("http://[2001:db8::1]:443/a?b");
    (void)parse_absolute_url(text);
    const auto authority = parse_authority(random.mutate(round % 2 == 0 ? "a.b-c:443" : "[::ffff:1.2.3.4]:80"));
    if (authority) {
      EXPECT_EQ(parse_authority(authority->text()), authority) << authority->text();
    }
    (void)parse_authority(random.next(40), 80);
  }
}

}  // namespace
}  // namespace chipgate::protocol
