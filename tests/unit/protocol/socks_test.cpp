// SOCKS messages are read from any prefix, and end where they end.
#include "chipgate/protocol/socks.hpp"

#include "wire.hpp"

#include <gtest/gtest.h>

namespace chipgate::protocol {
namespace {

// Every shorter prefix asks for more, and bytes that follow are left.
template <class Parser>
auto read_whole(Parser parse, const std::string& message) {
  for (std::size_t cut = 0; cut < message.size(); ++cut) {
    const auto early = parse(std::string_view(message).substr(0, cut));
    EXPECT_TRUE(early && !*early) << "cut at " << cut;
  }
  auto whole = parse(message + "\x16\x03");
  EXPECT_TRUE(whole && *whole);
  EXPECT_EQ((*whole)->bytes, message.size());
  return std::move((*whole)->value);
}

template <class Parser>
ErrorKind fault(Parser parse, const std::string& bytes) {
  const auto parsed = parse(bytes);
  if (parsed) ADD_FAILURE() << "accepted";
  return parsed ? ErrorKind::client_gone : parsed.error().kind;
}

TEST(Socks5Greeting, TellsWhichMethodsAreOffered) {
  const auto node = read_whole(parse_socks5_greeting, raw("\5\1\0"));
  EXPECT_TRUE(node.no_auth);
  EXPECT_FALSE(node.password);
  const auto with_userinfo = read_whole(parse_socks5_greeting, raw("\5\2\0\2"));
  EXPECT_TRUE(with_userinfo.no_auth);
  EXPECT_TRUE(with_userinfo.password);
  const auto neither = read_whole(parse_socks5_greeting, raw("\5\1\1"));
  EXPECT_FALSE(neither.no_auth || neither.password);
  EXPECT_FALSE(read_whole(parse_socks5_greeting, raw("\5\0")).no_auth);
  EXPECT_EQ(fault(parse_socks5_greeting, raw("\4\1\0")), ErrorKind::malformed_request);
}

TEST(Socks5Credentials, AreReadWithAnyLength) {
  const auto credentials = read_whole(parse_socks5_credentials, raw("\1\4user\3p:w"));
  EXPECT_EQ(credentials.username, "user");
  EXPECT_EQ(credentials.password.reveal(), "p:w");
  EXPECT_TRUE(read_whole(parse_socks5_credentials, raw("\1\0\0")).password.empty());
  const std::string longest(255, 'x');
  EXPECT_EQ(read_whole(parse_socks5_credentials, "\1\xff" + longest + "\xff" + longest).username, longest);
  EXPECT_EQ(fault(parse_socks5_credentials, raw("\5\4user\3p:w")), ErrorKind::malformed_request);
}

TEST(Socks5Request, ReadsEveryKindOfAddress) {
  const auto name = read_whole(parse_socks5_request, raw("\5\1\0\3\x10Web.whatsapp.com\x01\xbb"));
  EXPECT_EQ(name.command, SocksCommand::connect);
  EXPECT_EQ(name.target, (Authority{"web.whatsapp.com", 443}));
  EXPECT_EQ(read_whole(parse_socks5_request, raw("\5\1\0\1\xc0\0\2\1\0\x50")).target.text(), "192.0.2.1:80");
  const auto v6 = raw("\5\1\0\4\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\1\xbb");
  EXPECT_EQ(read_whole(parse_socks5_request, v6).target.text(), "[2001:db8::1]:443");
}

TEST(Socks5Request, KnowsAnAddressWrittenAsAName) {
  EXPECT_TRUE(read_whole(parse_socks5_request, raw("\5\1\0\3\7"
                                                   "1.2.3.4\1\xbb"))
                  .target.is_ip_literal());
  EXPECT_TRUE(read_whole(parse_socks5_request, raw("\5\1\0\3\3::1\1\xbb")).target.is_ip_literal());
}

TEST(Socks5Request, TellsOtherCommandsWhateverTheyAddress) {
  EXPECT_EQ(read_whole(parse_socks5_request, raw("\5\3\0\1\0\0\0\0\0\0")).command, SocksCommand::udp_associate);
  EXPECT_EQ(read_whole(parse_socks5_request, raw("\5\2\0\3\0\0\0")).command, SocksCommand::bind);
  EXPECT_EQ(read_whole(parse_socks5_request, raw("\5\xf0\0\1\0\0\0\0\0\0")).command, SocksCommand::unknown);
}

TEST(Socks5Request, RefusesHostileTargets) {
  EXPECT_EQ(fault(parse_socks5_request, raw("\4\1\0\1\1\2\3\4\0\x50")), ErrorKind::malformed_request);
  EXPECT_EQ(fault(parse_socks5_request, raw("\5\1\0\2")), ErrorKind::socks_address_unknown);
  EXPECT_EQ(fault(parse_socks5_request, raw("\5\1\0\0\1\2\3\4\0\x50")), ErrorKind::socks_address_unknown);
  for (const auto& name :
       {raw(""), raw("a b"), raw("a\0b"), raw("a\r\nb"), raw("user@host"), raw("[::1]"), raw("a:1"), raw("127.1")}) {
    const auto request = raw("\5\1\0\3") + static_cast<char>(name.size()) + name + raw("\1\xbb");
    EXPECT_EQ(read_whole(parse_socks5_request, request).target, Authority{}) << name;
  }
  EXPECT_EQ(read_whole(parse_socks5_request, raw("\5\1\0\1\1\2\3\4\0\0")).target, Authority{});
}

TEST(Socks4Request, ReadsAnAddressAndSkipsTheUser) {
  const auto request = read_whole(parse_socks4_request, raw("\4\1\1\xbb\xc0\0\2\1me\0"));
  EXPECT_EQ(request.command, SocksCommand::connect);
  EXPECT_EQ(request.target.text(), "192.0.2.1:443");
  EXPECT_EQ(read_whole(parse_socks4_request, raw("\4\1\1\xbb\0\0\0\0\0")).target.text(), "0.0.0.0:443");
  EXPECT_EQ(read_whole(parse_socks4_request, raw("\4\2\1\xbb\1\2\3\4\0")).command, SocksCommand::bind);
}

TEST(Socks4Request, ReadsTheNameOf4a) {
  const auto request = read_whole(parse_socks4_request, raw("\4\1\1\xbb\0\0\0\1\0web.whatsapp.com\0"));
  EXPECT_EQ(request.target.text(), "web.whatsapp.com:443");
}

TEST(Socks4Request, BoundsItsTexts) {
  const auto start = raw("\4\1\1\xbb\0\0\0\1");
  EXPECT_TRUE(parse_socks4_request(start + std::string(255, 'u')));
  EXPECT_EQ(fault(parse_socks4_request, start + std::string(256, 'u')), ErrorKind::malformed_request);
  EXPECT_EQ(fault(parse_socks4_request, start + std::string(256, 'u') + raw("\0")), ErrorKind::malformed_request);
  EXPECT_EQ(fault(parse_socks4_request, start + raw("u\0") + std::string(256, 'h')), ErrorKind::malformed_request);
  EXPECT_EQ(read_whole(parse_socks4_request, start + raw("u\0\0")).target, Authority{});
  EXPECT_EQ(fault(parse_socks4_request, raw("\5\1\1\xbb\1\2\3\4\0")), ErrorKind::malformed_request);
  EXPECT_EQ(read_whole(parse_socks4_request, raw("\4\1\0\0\1\2\3\4\0")).target, Authority{});
}

TEST(SocksAnswers, AreTheBytesOfTheStandards) {
  EXPECT_EQ(socks5_method(SocksMethod::no_auth), raw("\5\0"));
  EXPECT_EQ(socks5_method(SocksMethod::password), raw("\5\2"));
  EXPECT_EQ(socks5_method(SocksMethod::none_acceptable), raw("\5\xff"));
  EXPECT_EQ(socks5_auth_status(SocksAuth::accepted), raw("\1\0"));
  EXPECT_EQ(socks5_auth_status(SocksAuth::rejected), raw("\1\1"));
  EXPECT_EQ(socks5_reply(0), raw("\5\0\0\1\0\0\0\0\0\0"));
  EXPECT_EQ(socks5_reply(7), raw("\5\7\0\1\0\0\0\0\0\0"));
  EXPECT_EQ(socks4_reply(Socks4Outcome::granted), raw("\0\x5a\0\0\0\0\0\0"));
  EXPECT_EQ(socks4_reply(Socks4Outcome::rejected), raw("\0\x5b\0\0\0\0\0\0"));
}

TEST(SocksClient, OffersThePasswordAlone) { EXPECT_EQ(socks5_client_greeting(), raw("\5\1\2")); }

TEST(SocksClient, SaysWhatItsOwnServerSideReads) {
  const auto credentials = socks5_client_credentials("user-session-x", "secret");
  const auto read = read_whole(parse_socks5_credentials, std::string(credentials.reveal()));
  EXPECT_EQ(read.username, "user-session-x");
  EXPECT_EQ(read.password.reveal(), "secret");
  for (const auto& target : {Authority{"web.whatsapp.com", 443}, Authority{"192.0.2.1", 80},
                             Authority{"2001:db8::1", 65535}, Authority{std::string(255, 'a'), 1}}) {
    EXPECT_EQ(read_whole(parse_socks5_request, socks5_client_request(target)).target, target);
  }
  EXPECT_THROW(socks5_client_credentials(std::string(256, 'u'), ""), std::length_error);
}

TEST(SocksClient, ReadsTheMethodAndThePasswordsAnswer) {
  EXPECT_EQ(read_whole(parse_socks5_method_answer, raw("\5\2")), SocksMethod::password);
  EXPECT_EQ(fault(parse_socks5_method_answer, raw("\5\xff")), ErrorKind::provider_auth);
  EXPECT_EQ(fault(parse_socks5_method_answer, raw("\5\0")), ErrorKind::gateway_garbled);
  EXPECT_EQ(fault(parse_socks5_method_answer, "HTTP/1.1 400"), ErrorKind::gateway_garbled);
  EXPECT_EQ(read_whole(parse_socks5_auth_answer, raw("\1\0")), SocksAuth::accepted);
  EXPECT_EQ(read_whole(parse_socks5_auth_answer, raw("\5\0")), SocksAuth::accepted);
  EXPECT_EQ(fault(parse_socks5_auth_answer, raw("\1\1")), ErrorKind::provider_auth);
  EXPECT_EQ(fault(parse_socks5_auth_answer, raw("\2\0")), ErrorKind::gateway_garbled);
}

TEST(SocksClient, ReadsASuccessWithAnyBoundAddress) {
  EXPECT_EQ(read_whole(parse_socks5_reply, raw("\5\0\0\1\0\0\0\0\0\0")), 0);
  EXPECT_EQ(read_whole(parse_socks5_reply, raw("\5\0\0\3\4host\0\1")), 0);
  EXPECT_EQ(read_whole(parse_socks5_reply, raw("\5\0\0\4") + std::string(18, '\0')), 0);
  EXPECT_EQ(fault(parse_socks5_reply, raw("\5\0\0\2")), ErrorKind::gateway_garbled);
  EXPECT_EQ(fault(parse_socks5_reply, raw("\1\0")), ErrorKind::gateway_garbled);
}

TEST(SocksClient, KnowsARefusalFromItsSecondByte) {
  const auto refusal = parse_socks5_reply(raw("\5\5"));
  ASSERT_TRUE(refusal && *refusal);
  EXPECT_EQ((*refusal)->value, 5);
}

TEST(SocksClient, NamesEveryRefusal) {
  const std::pair<int, ErrorKind> expected[] = {
      {1, ErrorKind::provider_refused},   {2, ErrorKind::provider_denied_target}, {3, ErrorKind::target_unreachable},
      {4, ErrorKind::target_unreachable}, {5, ErrorKind::target_unreachable},     {6, ErrorKind::provider_exit_timeout},
      {7, ErrorKind::provider_refused},   {8, ErrorKind::provider_refused},       {255, ErrorKind::provider_refused}};
  for (const auto& [rep, kind] : expected) EXPECT_EQ(error_of_socks_reply(static_cast<std::uint8_t>(rep)), kind) << rep;
}

TEST(Socks, SurvivesNoise) {
  RandomBytes random(4);
  const std::string seeds[] = {raw("\5\2\0\2"), raw("\1\4user\3p:w"), raw("\5\1\0\3\4host\1\xbb"),
                               raw("\4\1\1\xbb\0\0\0\1me\0host\0"), raw("\5\0\0\3\4host\0\1")};
  for (int round = 0; round < 20'000; ++round) {
    const auto bytes = round % 2 == 0 ? random.next(40) : random.mutate(seeds[random.below(std::size(seeds))]);
    const auto bounded = [&](const auto& parsed) {
      EXPECT_TRUE(!parsed || !*parsed || (*parsed)->bytes <= bytes.size());
    };
    bounded(parse_socks5_greeting(bytes));
    bounded(parse_socks5_credentials(bytes));
    bounded(parse_socks5_request(bytes));
    bounded(parse_socks4_request(bytes));
    bounded(parse_socks5_method_answer(bytes));
    bounded(parse_socks5_auth_answer(bytes));
    bounded(parse_socks5_reply(bytes));
  }
}

}  // namespace
}  // namespace chipgate::protocol
