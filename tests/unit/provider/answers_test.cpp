// What gateways and echoes answer.
#include "chipgate/provider/echo.hpp"
#include "chipgate/provider/status.hpp"

#include <gtest/gtest.h>

namespace chipgate::provider {
namespace {

protocol::Fields fields(std::initializer_list<std::pair<const char*, const char*>> given) {
  protocol::Fields made;
  for (const auto& [name, value] : given) made.add(name, value);
  return made;
}

TEST(ConnectStatus, IsClassifiedByItsNumber) {
  const std::pair<unsigned, ErrorKind> table[] = {
      {402, ErrorKind::provider_payment},      {403, ErrorKind::provider_denied_target},
      {407, ErrorKind::provider_auth},         {410, ErrorKind::provider_session_lost},
      {429, ErrorKind::provider_rate_limited}, {502, ErrorKind::provider_session_lost},
      {503, ErrorKind::provider_no_exit},      {504, ErrorKind::provider_exit_timeout},
      {522, ErrorKind::provider_exit_timeout}, {525, ErrorKind::provider_no_exit},
      {400, ErrorKind::provider_refused},      {301, ErrorKind::provider_refused},
      {500, ErrorKind::provider_refused},      {204, ErrorKind::provider_refused}};
  for (const auto& [status, kind] : table) {
    const auto error = classify_connect_status(status, {});
    EXPECT_EQ(error.kind, kind) << status;
    EXPECT_EQ(error.detail, std::to_string(status));
  }
}

TEST(ConnectStatus, TellsTheProvidersReasons) {
  const auto error = classify_connect_status(
      502, fields({{"X-BRD-Err-Code", "client_10000"}, {"x-brd-err-msg", " No peers available "}, {"Server", "x"}}));
  EXPECT_EQ(error.detail, "502; x-brd-err-code: client_10000; x-brd-err-msg: No peers available");
}

TEST(ConnectStatus, BoundsAndCleansWhatTheProviderWrites) {
  const std::string endless(1000, 'a');
  const auto error = classify_connect_status(400, fields({{"X-Error-Description", endless.c_str()}}));
  EXPECT_EQ(error.detail.size(), 200U);
  EXPECT_EQ(classify_connect_status(400, fields({{"X-SOAX-Error", "a\x1b[2J\xc3\xa9"}})).detail,
            "400; X-SOAX-Error: a?[2J??");
}

TEST(ExitAddress, IsTakenOnlyIfItIsOne) {
  EXPECT_EQ(exit_address(fields({{"X-BRD-IP", "203.0.113.7"}}))->text(), "203.0.113.7");
  EXPECT_EQ(exit_address(fields({{"x-exit-ip", "2001:db8::1"}}))->text(), "2001:db8::1");
  EXPECT_FALSE(exit_address(fields({{"x-brd-ip", "r6f4d2a9b1c0"}})));
  EXPECT_FALSE(exit_address({}));
}

TEST(Echo, IsAnAddressOrAnObjectThatNamesOne) {
  for (const auto* body :
       {"203.0.113.7", "  203.0.113.7\r\n", R"({"ip":"203.0.113.7"})", R"({ "country": "BR", "ip" : "203.0.113.7" })",
        R"({"origin": "203.0.113.7"})"
        "\n",
        R"({"query":"203.0.113.7","status":"success"})",
        R"({"isp":{"name":"a \"b\" ip"},"proxy":{"ip":"203.0.113.7"},"n":[1,"x"]})",
        R"({"ip":"203.0.113.7","query":"203.0.113.7"})", "::ffff:203.0.113.7"}) {
    const auto address = parse_echo(body);
    ASSERT_TRUE(address) << body;
    EXPECT_EQ(address->text(), "203.0.113.7") << body;
  }
  EXPECT_EQ(parse_echo("2001:DB8::1\n")->text(), "2001:db8::1");
}

TEST(Echo, IsNoAnswerIfItIsAnythingElse) {
  for (const auto* body :
       {"", "\n", "<html>Please solve the captcha. Your IP: 203.0.113.7</html>", "Too many requests", "{}",
        R"({"ip":"x"})", R"({"ip":"203.0.113.7","origin":"203.0.113.8"})", R"({"origin":"203.0.113.7, 10.0.0.1"})",
        R"({"ip":"203.0.113.7)", R"({"error":"ip","message":"203.0.113.7"})", R"({"ip":null})",
        "203.0.113.7\n203.0.113.8", "203.0.113.7:80"}) {
    EXPECT_FALSE(parse_echo(body)) << body;
  }
  EXPECT_FALSE(parse_echo(std::string(20'000, ' ') + "203.0.113.7"));
}

}  // namespace
}  // namespace chipgate::provider
