// What a gateway says about a session's credentials goes nowhere.
#include "chipgate/gateway/route.hpp"
#include "chipgate/protocol/basic.hpp"

#include <gtest/gtest.h>
#include <string>

namespace chipgate::gateway {
namespace {

const std::string token = protocol::base64_encode("acct77-session-x:key9_session-x");

// As of a provider whose session stands in the password too, so that the account's own is only a part of it.
RoutePtr route() {
  const provider::Credentials credentials{Secret("acct77-session-x"), Secret("key9_session-x"), Secret("acct77"),
                                          Secret("key9")};
  return make_route(SessionIdentifier("chip-a-1"), Epoch(1), EndpointIndex(0), credentials, IpLiterals::carried);
}

TEST(ErrorOfStatus, KeepsReasonsThatSayNothingOfTheCredentials) {
  protocol::Fields fields;
  fields.add("X-Error-Description", "no peers");
  EXPECT_EQ(error_of_status(*route(), 502, fields).detail, "502; X-Error-Description: no peers");
}

TEST(ErrorOfStatus, DropsReasonsThatRepeatAnyPartOfTheCredentials) {
  for (const auto& repeated : {token, std::string("acct77-session-x"), std::string("acct77"),
                               std::string("key9_session-x"), std::string("key9")}) {
    protocol::Fields fields;
    fields.add("X-Error-Description", "no such account: <" + repeated + ">");
    EXPECT_EQ(error_of_status(*route(), 407, fields).detail, "407") << repeated;
  }
}

TEST(AnswerForAClient, LosesFieldsAndReasonsThatRepeatTheCredentials) {
  protocol::ResponseHead head;
  head.status = 502;
  head.reason = "acct77-session-x is gone";
  head.fields.add("X-Token", "Basic " + token);
  head.fields.add("X-Error-Description", "key9_session-x");
  head.fields.add("X-User", "acct77");
  head.fields.add("ETag", "kept");
  head.fields.add("Content-Length", "2");
  const auto cleaned = without_credentials(*route(), head);
  EXPECT_EQ(cleaned.status, 502U);
  EXPECT_EQ(cleaned.reason, "");
  ASSERT_EQ(cleaned.fields.size(), 2U);
  EXPECT_EQ(cleaned.fields.find("ETag"), "kept");
  EXPECT_EQ(cleaned.fields.find("Content-Length"), "2");
}

TEST(AnswerForAClient, KeepsWhatFramesTheBodyWhateverThePasswordIs) {
  const provider::Credentials credentials{Secret("account"), Secret("1000000")};
  const auto numeric =
      make_route(SessionIdentifier("chip-a-1"), Epoch(1), EndpointIndex(0), credentials, IpLiterals::carried);
  protocol::ResponseHead head;
  head.fields.add("Content-Length", "1000000");
  EXPECT_EQ(without_credentials(*numeric, head).fields.size(), 1U);
}

TEST(AnswerForAClient, KeepsFieldsThatHoldAVeryShortPasswordByChance) {
  const provider::Credentials credentials{Secret("a-long-username"), Secret("abc")};
  const auto careless =
      make_route(SessionIdentifier("chip-a-1"), Epoch(1), EndpointIndex(0), credentials, IpLiterals::carried);
  protocol::ResponseHead head;
  head.fields.add("ETag", "0abcdef");
  EXPECT_EQ(without_credentials(*careless, head).fields.size(), 1U);
}

}  // namespace
}  // namespace chipgate::gateway
