// Findings about the gateway, the exits and the clock.
#include "diagnosis_test.hpp"

namespace chipgate::cli {
namespace {

TEST_F(Diagnosis, AGatewayThatDoesNotAnswerIsWrongAndItsReasonTold) {
  facts_.gateways[0] = {"http://gateway:3120", {ip("198.51.100.1")}, Error{ErrorKind::gateway_refused}, std::nullopt};
  EXPECT_EQ(of("gateway").health, Health::wrong);
  EXPECT_NE(of("gateway").evidence.find("refuses connections"), std::string::npos);
  EXPECT_EQ(of("gateway_sticky").what, "none") << "nothing is known about that";
}

TEST_F(Diagnosis, TheAdviceIsOfWhomeverTheFailureIs) {
  const auto advice = [this](ErrorKind kind) {
    facts_.gateways[0] = {"http://gateway:3120", {}, Error{kind}, std::nullopt};
    EXPECT_EQ(of("gateway").health, Health::wrong) << info(kind).name;
    return of("gateway").fix;
  };
  EXPECT_NE(advice(ErrorKind::no_way_to_gateway).find("this host's own network"), std::string::npos);
  EXPECT_NE(advice(ErrorKind::gateway_unresolved).find("resolver of this host"), std::string::npos);
  EXPECT_NE(advice(ErrorKind::gateway_certificate).find("gateway.tls"), std::string::npos);
  EXPECT_NE(advice(ErrorKind::provider_auth).find("gateway.password"), std::string::npos);
  EXPECT_NE(advice(ErrorKind::provider_no_exit).find("Ask the provider"), std::string::npos);
  EXPECT_NE(advice(ErrorKind::gateway_connect_timeout).find("firewall"), std::string::npos);
}

TEST_F(Diagnosis, AnEchoThatFailsIsNoFaultOfTheGateway) {
  const auto of_echo = Error{ErrorKind::gateway_garbled, "the echo answered 503"};
  for (const auto& error : {of_echo, Error{ErrorKind::target_unreachable}}) {
    facts_.gateways[0] = {"http://gateway:3120", {}, error, std::nullopt};
    EXPECT_EQ(of("gateway").health, Health::fine);
    EXPECT_EQ(of("echoes").health, Health::wrong);
    EXPECT_NE(of("echoes").fix.find("verify.echoes_v4"), std::string::npos);
  }
  facts_.gateways[0].trouble = Error{ErrorKind::gateway_garbled, "the echo's page names no address"};
  EXPECT_EQ(of("gateway").health, Health::unknown) << "any web server answers so";
  EXPECT_EQ(of("echoes").health, Health::wrong);
  facts_.gateways[0].trouble = Error{ErrorKind::gateway_garbled};
  EXPECT_EQ(of("gateway").health, Health::wrong) << "its own words";
}

TEST_F(Diagnosis, WithoutEchoesNothingIsKnownOfTheGateway) {
  facts_.gateways[0] = {"http://gateway:3120"};
  EXPECT_EQ(of("gateway").health, Health::unknown);
  EXPECT_NE(of("gateway").evidence.find("no echoes are configured"), std::string::npos);
  EXPECT_TRUE(all_well(findings()));
}

TEST_F(Diagnosis, AGatewayThatCannotBeAskedIsAFindingBesideTheOthers) {
  facts_.gateways[0] = {"https://gateway:3120"};
  facts_.gateways[0].not_asked = "ca.pem holds no certificate";
  EXPECT_EQ(of("gateway").health, Health::wrong);
  EXPECT_NE(of("gateway").evidence.find("ca.pem"), std::string::npos);
  EXPECT_EQ(of("ledger").health, Health::fine);
}

TEST_F(Diagnosis, ASessionThatChangesItsExitIsNotSticky) {
  facts_.gateways[0].exits[2] = ip("198.51.100.3");
  EXPECT_EQ(of("gateway_sticky").health, Health::wrong);
  EXPECT_NE(of("gateway_sticky").fix.find("sticky-session"), std::string::npos);
}

TEST_F(Diagnosis, SessionsThatShareAnExitAreNotToldApart) {
  facts_.gateways[0].exits[1] = facts_.gateways[0].exits[0];
  EXPECT_EQ(of("gateway_sticky").health, Health::wrong);
  EXPECT_NE(of("gateway_sticky").fix.find("gateway.preset"), std::string::npos);
}

TEST_F(Diagnosis, EveryEndpointIsLookedAt) {
  facts_.gateways.push_back({"http://spare:3120", {}, Error{ErrorKind::gateway_refused}, std::nullopt});
  const auto all = findings();
  EXPECT_EQ(of("gateway").health, Health::fine) << "the first one";
  EXPECT_TRUE(std::ranges::any_of(all, [](const Finding& finding) {
    return finding.what == "gateway" && finding.health == Health::wrong &&
           finding.evidence.starts_with("http://spare:3120: ");
  }));
  facts_.gateways[1].exits = {ip("198.51.100.3"), ip("203.0.113.7"), ip("198.51.100.3")};
  EXPECT_EQ(of("exit_is_host").health, Health::wrong) << "an exit of the second one";
}

TEST_F(Diagnosis, AnExitThatIsTheHostsOwnIsWrong) {
  facts_.gateways[0].exits[1] = ip("203.0.113.7");
  EXPECT_EQ(of("exit_is_host").health, Health::wrong) << "an interface has it";
  facts_.gateways[0].exits[1] = ip("192.0.2.9");
  EXPECT_EQ(of("exit_is_host").health, Health::fine);
  facts_.host_ips = {ip("192.0.2.9")};
  EXPECT_EQ(of("exit_is_host").health, Health::wrong) << "the operator said so";
}

TEST_F(Diagnosis, BehindTranslationTheOperatorMustSayHowTheHostIsSeen) {
  facts_.host.addresses = {ip("10.0.0.2"), ip("172.17.0.1"), ip("100.64.3.4"), ip("fe80::1"),
                           ip("fd00::1"),  ip("192.0.0.2"),  ip("198.18.0.1")};
  EXPECT_EQ(of("exit_is_host").health, Health::unknown);
  EXPECT_NE(of("exit_is_host").fix.find("--host-ip"), std::string::npos);
  facts_.host.addresses.push_back(ip("2a01:4f8::5"));
  EXPECT_EQ(of("exit_is_host").health, Health::unknown) << "a public address of the other family";
  facts_.host_ips = {ip("192.0.2.9")};
  EXPECT_EQ(of("exit_is_host").health, Health::fine);
}

TEST_F(Diagnosis, AClockThatIsOffByMoreThanThirtySecondsIsAWarning) {
  facts_.gateways[0].clock_ahead = Milliseconds(30'000);
  EXPECT_EQ(of("clock").health, Health::fine);
  facts_.gateways[0].clock_ahead = Milliseconds(30'001);
  EXPECT_EQ(of("clock").health, Health::warning);
  facts_.gateways[0].clock_ahead = Milliseconds(-95'000);
  EXPECT_EQ(of("clock").health, Health::warning);
  EXPECT_NE(of("clock").evidence.find("95 s behind"), std::string::npos);
  facts_.gateways[0].clock_ahead.reset();
  EXPECT_EQ(of("clock").health, Health::unknown);
}

}  // namespace
}  // namespace chipgate::cli
