// Credentials survive the way there and back.
#include "chipgate/protocol/basic.hpp"

#include "wire.hpp"

#include <gtest/gtest.h>

namespace chipgate::protocol {
namespace {

TEST(Base64, MatchesTheStandardsVectors) {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"},
                                                                   {"\xfb\xff\xfe", "+//+"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(base64_encode(plain), encoded);
    EXPECT_EQ(base64_decode(encoded), plain);
  }
}

TEST(Base64, RefusesWhatIsNotBase64) {
  for (const auto* text : {"Z", "Zg", "Zg=", "Z===", "====", "=", "Zg==Zg==", "Zm 9", "Zm9-", "Zm9\n", "Z=g="}) {
    EXPECT_FALSE(base64_decode(text)) << text;
  }
}

TEST(Base64, ReadsBackEveryString) {
  RandomBytes random(3);
  for (int round = 0; round < 5'000; ++round) {
    const auto bytes = random.next(40);
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    (void)base64_decode(random.next(16));
    (void)parse_basic(random.mutate("Basic dXNlcjpwYXNz"));
  }
}

TEST(Basic, WritesTheLineForAGateway) {
  EXPECT_EQ(basic_credentials_line("user", "p:w").reveal(), "Proxy-Authorization: Basic dXNlcjpwOnc=\r\n");
}

TEST(Basic, ReadsWhatClientsSend) {
  for (const auto* value : {"Basic dXNlcjpwOnc=", "basic dXNlcjpwOnc=", "BASIC   dXNlcjpwOnc= "}) {
    const auto credentials = parse_basic(value);
    ASSERT_TRUE(credentials) << value;
    EXPECT_EQ(credentials->username, "user");
    EXPECT_EQ(credentials->password.reveal(), "p:w");
  }
  EXPECT_EQ(parse_basic("Basic Og==")->username, "");
}

TEST(Basic, RefusesOtherSchemesAndBrokenOnes) {
  for (const auto* value :
       {"", "Basic", "Basic ", "Bearer dXNlcjpwOnc=", "Basic dXNlcg==", "Basic !!!!", "BasicdXNlcjpwOnc="}) {
    EXPECT_FALSE(parse_basic(value)) << value;
  }
}

}  // namespace
}  // namespace chipgate::protocol
