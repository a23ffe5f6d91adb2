// Bad configurations, each with the line and the key that it must be refused for.
#include "fixture.hpp"

#include <gtest/gtest.h>

namespace chipgate::config {
namespace {

struct Bad {
  const char* text;     // after a gateway in line 1
  const char* problem;  // "line key", and how the message begins
};

class BadConfiguration : public testing::TestWithParam<Bad> {};

TEST_P(BadConfiguration, IsRefusedAtItsLineAndKey) {
  const auto found = problems(with_gateway(GetParam().text));
  ASSERT_EQ(found.size(), 1U) << GetParam().text << testing::PrintToString(found);
  EXPECT_TRUE(found.front().starts_with(GetParam().problem)) << GetParam().text << "\n" << found.front();
}

std::string numbered(const testing::TestParamInfo<Bad>& info) { return std::to_string(info.index); }

INSTANTIATE_TEST_SUITE_P(
    Shape, BadConfiguration,
    testing::Values(Bad{"listne: {}", "2 listne is not a known key"},
                    Bad{"log:\n  level: info\n  levle: info", "4 log.levle is not a known key"},
                    Bad{"<<: {}", "2 << is not a known key"},
                    Bad{"chips:\n- {id: a, prot: 1}", "3 chips[0].prot is not a known key"},
                    Bad{"log: {level: info}\nlog: {level: warn}", "3 log is written twice"},
                    Bad{"log:\n  level: info\n  level: info", "4 log.level is written twice"},
                    Bad{"[a]: b", "2  has a key that is not a word"}, Bad{"log: info", "2 log must be a mapping"},
                    Bad{"log:\n- info", "2 log must be a mapping"}, Bad{"chips: {id: a}", "2 chips must be a list"},
                    Bad{"chips: [a]", "2 chips[0] must be a mapping"}, Bad{"fail_style:", "2 fail_style has no value"},
                    Bad{"fail_style: [auto]", "2 fail_style must be a single value"},
                    Bad{"admin: {hosts: chipgate}", "2 admin.hosts must be a list"}),
    numbered);

INSTANTIATE_TEST_SUITE_P(
    Values, BadConfiguration,
    testing::Values(
        Bad{"fail_style: rset", "2 fail_style \"rset\" is not a known value"},
        Bad{"workers: 0", "2 workers \"0\" is not a whole number from 1"},
        Bad{"workers: 0x4", "2 workers \"0x4\" is not a whole number"},
        Bad{"workers: 010", "2 workers \"010\" is not a whole number"},
        Bad{"limits: {max_whatsapp_sessions: 0}", "2 limits.max_whatsapp_sessions"},
        Bad{"chips: [{id: a, max_whatsapp_sessions: no}]", "2 chips[0].max_whatsapp_sessions"},
        Bad{"ledger: {retention: 23h}", "2 ledger.retention"},
        Bad{"limits: {tunnels: 0}", "2 limits.tunnels \"0\" is not a whole number from 1"},
        Bad{"limits: {held_per_chip: -1}", "2 limits.held_per_chip \"-1\" is not a whole number"},
        Bad{"limits:\n  tunnels_per_chip: many", "3 limits.tunnels_per_chip \"many\" is not a whole number"},
        Bad{"timeouts: {head: 10}", "2 timeouts.head \"10\" is not a duration"},
        Bad{"timeouts: {connect_budget: off}", "2 timeouts.connect_budget \"off\" is not a duration"},
        Bad{"timeouts: {connect_budget: 0}", "2 timeouts.connect_budget \"0\" is not between 1s and 1min"},
        Bad{"timeouts: {connect_budget: 2min}", "2 timeouts.connect_budget \"2min\" is not between"},
        Bad{"timeouts: {first_reply: off}", "2 timeouts.first_reply \"off\" is not a duration"},
        Bad{"timeouts: {idle: never}", "2 timeouts.idle \"never\" is not a duration"},
        Bad{"log: {access: yes}", "2 log.access \"yes\" is not a known value"},
        Bad{"log: {level: trace}", "2 log.level \"trace\" is not a known value"},
        Bad{"log: {path: \"${NOWHERE}\"}", "2 log.path the environment variable NOWHERE is not set"},
        Bad{"log: {path: \"${\"}", "2 log.path has a ${ that is not followed"},
        Bad{"log: {path: \"${A:-b}\"}", "2 log.path has a ${ that is not followed"},
        Bad{"admin: {listen: \"unix:\"}", "2 admin.listen \"unix:\" is no path of at most 107 bytes"},
        Bad{"admin: {token: short}", "2 admin.token is shorter than 16 characters"},
        Bad{"admin: {token: 0123456789abcdef, token_file: x}", "2 admin.token_file stands beside token"},
        Bad{"destinations: {allow: \"*\"}", "2 destinations.allow must be a list"},
        Bad{"destinations:\n  allow: [whatsapp]\n  deny:\n  - good.example\n  - https://bad.example",
            "6 destinations.deny[1] \"https://bad.example\" is not a destination"},
        Bad{"destinations: {allow: [whatsap]}", "2 destinations.allow[0] \"whatsap\" is not a destination"},
        Bad{"destinations: {allow: [facebook]}", "2 destinations.allow[0] \"facebook\" is not a destination"},
        Bad{"destinations: {deny: [\"a.example:0\"]}", "2 destinations.deny[0] \"a.example:0\" is not a destination"},
        Bad{"destinations: {deny: [10.0.0.0/33]}", "2 destinations.deny[0] \"10.0.0.0/33\" is not a destination"},
        Bad{"destinations: {deny: [db.]}", "2 destinations.deny[0] \"db.\" is not a destination"},
        Bad{"destinations: {deny: [whatsapp.]}", "2 destinations.deny[0] \"whatsapp.\" is not a destination"},
        Bad{"destinations: {deny: [\"localhost:1-65535\"]}",
            "2 destinations.deny[0] \"localhost:1-65535\" is not a destination"},
        Bad{"destinations: {alow: []}", "2 destinations.alow is not a known key"},
        Bad{"admin: {price_per_gb: 1e3}", "2 admin.price_per_gb \"1e3\" is not a price"},
        Bad{"admin: {price_per_gb: -1}", "2 admin.price_per_gb \"-1\" is not a price"},
        Bad{"admin: {currency: euros}", "2 admin.currency is not three letters"},
        Bad{"admin: {webhook: {secret: x}}", "2 admin.webhook.url is missing"},
        Bad{"admin: {webhook: {url: \"example.org\", secret: x}}", "2 admin.webhook.url is not a URL"},
        Bad{"admin: {webhook: {url: \"http://a.example\", secret: x, secret_file: password}}",
            "2 admin.webhook.secret_file stands beside secret"},
        Bad{"admin: {listen: 9310}", "2 admin.listen \"9310\" is not an address and a port"},
        Bad{"admin:\n  hosts:\n  - good\n  - http://bad", "5 admin.hosts[1] \"http://bad\" is not a host's name"},
        Bad{"listen: {address: localhost}", "2 listen.address \"localhost\" is not an IP address"},
        Bad{"listen:\n  ports: 20001-", "3 listen.ports \"20001-\" is not a range"},
        Bad{"listen: {ports: 20002-20001}", "2 listen.ports \"20002-20001\" is not a range"},
        Bad{"listen: {ports: 0-10}", "2 listen.ports \"0-10\" is not a range"},
        Bad{"listen: {allow_clients: [10.0.0.0/33]}", "2 listen.allow_clients[0] \"10.0.0.0/33\" is not a network"},
        Bad{"listen:\n  address: 0.0.0.0", "3 listen.address listening beyond loopback demands"},
        Bad{"listen: {address: 192.0.2.1, allow_clients: []}", "2 listen.address listening beyond loopback demands"},
        Bad{"listen: {client_credentials: {password: hunter2}}", "2 listen.client_credentials.username is missing"},
        Bad{"listen: {client_credentials: {username: a}}", "2 listen.client_credentials.password is missing"},
        Bad{"listen: {client_credentials: {username: \"a:b\", password: hunter2}}",
            "2 listen.client_credentials.username contains ':'"}),
    numbered);

INSTANTIATE_TEST_SUITE_P(
    Chips, BadConfiguration,
    testing::Values(
        Bad{"chips:\n- alias: x", "3 chips[0].id is missing"},
        Bad{"chips:\n- {id: a b}", "3 chips[0].id \"a b\" is not a chip id"},
        Bad{"chips:\n- {id: a}\n- {id: a}", "4 chips[1].id \"a\" is already the id of a chip"},
        Bad{"chips:\n- {id: \"a{n}\", numbers: 1-9}\n- {id: a5}", "4 chips[1].id \"a5\" is already the id"},
        Bad{"chips:\n- {id: a, alias: x}\n- {id: b, alias: x}", "4 chips[1].alias \"x\" is already the alias"},
        Bad{"chips:\n- {id: a, alias: b}\n- {id: b}", "3 chips[0].alias \"b\" is the id of another chip"},
        Bad{"chips:\n- {id: \"a{n}\", alias: x, numbers: 1-500}", "3 chips[0].alias \"x\" is already the alias"},
        Bad{"chips:\n- {id: a, port: 5}\n- {id: b, port: 5}", "4 chips[1].port 5 is already the port of a"},
        Bad{"chips:\n- {id: \"a{n}\", numbers: 1-9, port: 100}\n- id: b\n  port: 108",
            "5 chips[1].port 108 is already the port of a9"},
        Bad{"chips:\n- {id: a, port: 65536}", "3 chips[0].port \"65536\" is not a port"},
        Bad{"chips:\n- {id: a, port: 0123}", "3 chips[0].port \"0123\" is not a port"},
        Bad{"chips:\n- {id: a, port: 0x4e21}", "3 chips[0].port \"0x4e21\" is not a port"},
        Bad{"chips:\n- {id: \"a{n}\", numbers: 1-9, port: 65530}", "3 chips[0].port leaves no room"},
        Bad{"chips:\n- {id: a, port: 9310}", "3 chips[0].port 9310 is admin's port"},
        Bad{"admin: {listen: \"0.0.0.0:99\"}\nchips:\n- {id: a, port: 99}", "4 chips[0].port 99 is admin's port"},
        Bad{"chips:\n- {id: \"a{n}\"}", "3 chips[0].id has {n}, but the entry has no numbers"},
        Bad{"chips:\n- {id: a, numbers: 1-5}", "3 chips[0].numbers has no effect"},
        Bad{"chips:\n- {id: \"a{n}\", numbers: 5-1}", "3 chips[0].numbers \"5-1\" is not a range"},
        Bad{"chips:\n- {id: \"a{n}\", numbers: 1-20001}", "2 chips are more than 20000"},
        Bad{"chips:\n- {id: \"a{n}\", numbers: 1-20000}\n- {id: b}", "2 chips are more than 20000"},
        Bad{"chips:\n- {id: a}\n- {id: b}\nlisten: {ports: 1-1}", "5 listen.ports has too few ports: 1 more"},
        Bad{"chips:\n- {id: a}\n- id: a-country-us", "4 chips[1].id \"country\" in the chip id could be read"}),
    numbered);

struct BadGateway {
  const char* text;
  const char* problem;
};

class BadGatewayConfiguration : public testing::TestWithParam<BadGateway> {};

TEST_P(BadGatewayConfiguration, IsRefusedAtItsLineAndKey) {
  const auto found = problems(std::string("gateway:\n") + GetParam().text);
  ASSERT_EQ(found.size(), 1U) << GetParam().text << testing::PrintToString(found);
  EXPECT_TRUE(found.front().starts_with(GetParam().problem)) << GetParam().text << "\n" << found.front();
}

#define ACCOUNT "  username: alice\n  password: hunter2\n"
INSTANTIATE_TEST_SUITE_P(
    Gateway, BadGatewayConfiguration,
    testing::Values(
        BadGateway{"  username: alice", "1 gateway.password is missing"},
        BadGateway{"  password: hunter2", "1 gateway.username is missing"},
        BadGateway{"  username: \"${NOBODY}\"\n  password: hunter2",
                   "2 gateway.username the environment variable NOBODY"},
        BadGateway{"  username: \"${EMPTY}\"\n  password: hunter2", "2 gateway.username is missing"},
        BadGateway{"  username: alice\n  password_file: nowhere", "3 gateway.password_file cannot be read"},
        BadGateway{"  username: alice\n  password_file: empty", "3 gateway.password_file is empty"},
        BadGateway{"  username: alice\n  password_file: lines", "3 gateway.password_file has more than one line"},
        BadGateway{ACCOUNT "  password_file: password", "4 gateway.password_file stands beside password"},
        BadGateway{ACCOUNT "  password: {hunter2: 1}", "4 gateway.password is written twice"},
        BadGateway{ACCOUNT "  preset: decdo", "4 gateway.preset is not known"},
        BadGateway{ACCOUNT "  country: br", "4 gateway.country has no place"},
        BadGateway{ACCOUNT "  preset: decodo\n  country: brazil", "5 gateway.country is not a country code"},
        BadGateway{ACCOUNT "  preset: decodo\n  lifetime: 90s", "5 gateway.lifetime must be whole minutes"},
        BadGateway{ACCOUNT "  username_template: \"{session}\"", "4 gateway.username_template belongs to"},
        BadGateway{ACCOUNT "  preset: custom\n  endpoints: [\"http://a:1\"]", "1 gateway.username_template is missing"},
        BadGateway{ACCOUNT "  preset: custom\n  endpoints: [\"http://a:1\"]\n  username_template: \"{username}\"",
                   "6 gateway.username_template has no {session}"},
        BadGateway{ACCOUNT "  preset: custom\n  endpoints: [\"http://a:1\"]\n  username_template: \"{session}\"\n"
                           "  session:\n    length: 3",
                   "8 gateway.session.length gives fewer"},
        BadGateway{ACCOUNT "  preset: geonode", "1 gateway.endpoints is missing"},
        BadGateway{ACCOUNT "  endpoints: []", "4 gateway.endpoints is empty"},
        BadGateway{ACCOUNT "  endpoints: http://a", "4 gateway.endpoints must be a list"},
        BadGateway{ACCOUNT "  endpoints:\n  - a:1", "5 gateway.endpoints[0] does not begin with http://"},
        BadGateway{ACCOUNT "  endpoints: [\"socks5h://a:1\"]", "4 gateway.endpoints[0] does not begin with"},
        BadGateway{ACCOUNT "  endpoints: [\"http://u:hunter2@a:1\"]", "4 gateway.endpoints[0] carries a username"},
        BadGateway{ACCOUNT "  endpoints: [\"http://a:1/x\"]", "4 gateway.endpoints[0] has a path"},
        BadGateway{ACCOUNT "  endpoints: [\"http://a:0\"]", "4 gateway.endpoints[0] has a port that is not"},
        BadGateway{ACCOUNT "  endpoints: [\"http://:1\"]", "4 gateway.endpoints[0] has no valid host"},
        BadGateway{ACCOUNT "  endpoints: [\"http://[::1\"]", "4 gateway.endpoints[0] has a [ without"},
        BadGateway{ACCOUNT "  endpoints: [\"http://[a]:1\"]", "4 gateway.endpoints[0] has no IPv6"},
        BadGateway{ACCOUNT "  endpoints: [\"socks5://a\"]", "4 gateway.endpoints[0] has no port"},
        BadGateway{ACCOUNT "  endpoints: [\"http://A:1\", \"http://a:1/\"]",
                   "4 gateway.endpoints[1] stands in the list twice"},
        BadGateway{ACCOUNT "  tls: {server_name: \"a b\"}\n  endpoints: [\"https://a:1\"]",
                   "4 gateway.tls.server_name is not"}),
    [](const testing::TestParamInfo<BadGateway>& info) { return std::to_string(info.index); });

TEST(BadDocument, IsRefusedAsAWhole) {
  EXPECT_EQ(problems(""), std::vector<std::string>{"0  is empty"});
  EXPECT_EQ(problems("# nothing\n"), std::vector<std::string>{"0  is empty"});
  EXPECT_EQ(problems("- a"), std::vector<std::string>{"1  must be a mapping of keys to values"});
  EXPECT_EQ(problems("log: {}"), std::vector<std::string>{"0 gateway is missing"});
  // Where the parser would find documents for ever.
  EXPECT_EQ(problems(",gateway: {}"), std::vector<std::string>{"1  this is not YAML"});
  EXPECT_EQ(problems(with_gateway("---\nlog: {}")), std::vector<std::string>{"3  a second document begins here"});
  EXPECT_EQ(problems(with_gateway(std::string("log: {}\n\0", 9))), std::vector<std::string>{"3  is not a text file"});
  EXPECT_EQ(problems(std::string(largest_file + 1, '#')), std::vector<std::string>{"0  is larger than 16 MiB"});
}

TEST(SyntaxError, IsReportedAloneWithItsLine) {
  const auto found = problems("listne: 1\ngateway:\n  username: a\n password: b\nfail_style: rset\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found.front().starts_with("4  this is not YAML: ")) << found.front();
  EXPECT_EQ(problems(std::string(100'000, '[')).size(), 1U);
  EXPECT_EQ(problems("a: *hunter2"),
            std::vector<std::string>{"1  this is not YAML: the referenced anchor is not defined"});
}

TEST(SyntaxError, IsAQuoteThatNeverEndsAndWouldSwallowTheRest) {
  for (const char quote : {'"', '\''}) {
    const std::string open(1, quote);
    EXPECT_EQ(problems("gateway:\n  password: " + open + "hunter2\nchips: []\nlog: {level: info}\n"),
              std::vector<std::string>{"2  this is not YAML: a quote begins here and never ends"});
    EXPECT_EQ(problems("chips: []\nlog: [" + open + "x").size(), 1U);
  }
  EXPECT_FALSE(problems("gateway: &x [*x]").empty());  // a value within itself has no last one
}

TEST(Problems, AreAllReportedAtOnceInTheOrderOfTheirLines) {
  EXPECT_EQ(problems("listen: {address: 0.0.0.0, prots: 1-2}\n"
                     "gateway:\n"
                     "  username: \"${NOBODY}\"\n"
                     "  country: brazil\n"
                     "  endpoints: [ftp://a]\n"
                     "chips:\n"
                     "- {id: x-session-y, port: 70000}\n"
                     "timeouts: {head: 1}\n"),
            (std::vector<std::string>{
                "1 listen.prots is not a known key",
                "1 listen.address listening beyond loopback demands client_credentials or allow_clients",
                "2 gateway.password is missing", "3 gateway.username the environment variable NOBODY is not set",
                "4 gateway.country has no place in the grammar of the preset smartproxy",
                "5 gateway.endpoints[0] does not begin with http://, https:// or socks5://",
                "7 chips[0].port \"70000\" is not a port from 1 to 65535",
                "7 chips[0].id \"session\" in the chip id could be read as a parameter of the provider's grammar: give "
                "it another id",
                "8 timeouts.head \"1\" is not a duration"}));
}

TEST(Problems, NeverCarryASecret) {
  const std::vector<std::string> texts{
      "gateway: {username: \"al:hunter2\", password: hunter2, country: \"${PASS}\", lifetime: \"${PASS}\"}",
      "gateway: {username: alice, password: {hunter2: 1}}",
      "gateway: {username: alice, password: [hunter2]}",
      "gateway: {username: alice, password: hunter2, preset: \"${PASS}\", endpoints: [\"${PASS}\"]}",
      "gateway: {username: alice, password: hunter2}\nchips: [{id: \"${PASS} x\", port: \"${PASS}\", numbers: "
      "\"${PASS}\"}]",
      "gateway: {username: alice, password: \"hunter2_session-\", preset: iproyal}",
      "gateway: {username: alice, password: hunter2: x}",
      "gateway: {username: alice, password: \"hunter2\\q\"}",
      "gateway: {username: alice, password: \"${hunter2\"}",
      "gateway: {username: alice, password: !hunter2}",
      "gateway: {username: alice, password: *hunter2}",
      "gateway: {username: alice, password: \"hunter2\\n\"}",
      with_gateway("log: {level: \"${PASS}\"}\nlisten: {address: \"${PASS}\", allow_clients: [\"${PASS}\"]}"),
      with_gateway("listen: {client_credentials: {username: \"a:${PASS}\", password: hunter2}}")};
  for (const auto& text_of_file : texts) {
    const auto result = parse(text_of_file);
    ASSERT_TRUE(result.has_error()) << text_of_file;
    for (const auto& problem : result.error())
      EXPECT_EQ(text(problem).find(secret), std::string::npos) << text(problem);
  }
}

TEST(Problem, IsWrittenAsFileLineKeyMessageAndHint) {
  const auto result = parse(with_gateway("log:\n  levle: info\n"));
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(text(result.error().front()), "etc/chipgate.yaml:3: log.levle: is not a known key (did you mean level?)");
}

TEST(UnknownKeys, AreExplainedByTheNearestOrByTheirSection) {
  const auto hint = [](const std::string& rest) {
    const auto result = parse(with_gateway(rest));
    return result.has_error() ? result.error().front().hint : std::string();
  };
  EXPECT_EQ(hint("timeout: {}"), "did you mean timeouts?");
  EXPECT_EQ(hint("username: x"), "it belongs under listen.client_credentials");
  EXPECT_EQ(hint("connect_budget: 1s"), "it belongs under timeouts");
  EXPECT_EQ(hint("log: {chips: []}"), "it belongs to the top level");
  EXPECT_EQ(hint("log: {banana: 1}"), "known are level, format, access, path");
  EXPECT_EQ(hint("fail_style: statsu"), "did you mean status? one of auto, status, reset, established");
}

TEST(Destinations, ThatAreNoneAreExplained) {
  const auto hint = [](const std::string& entry) {
    const auto result = parse(with_gateway("destinations: {allow: ['" + entry + "']}"));
    return result.has_error() ? result.error().front().hint : std::string();
  };
  EXPECT_EQ(hint("whatsap"), "did you mean whatsapp?");
  EXPECT_EQ(hint("https://web.whatsapp.com/"), "a host and a port, as in example.org:443, and no URL");
  EXPECT_EQ(hint("a.*.example"),
            "example.org, *.example.org, 192.0.2.0/24 or *, with :443 or :8000-8099 behind it; or a preset: whatsapp");
}

TEST(Anchors, AreFollowedAndCyclesHarmless) {
  EXPECT_EQ(settings(with_gateway("timeouts: {head: &t 7s, half_closed: *t}")).relay.half_closed, Milliseconds(7000));
  EXPECT_FALSE(problems(with_gateway("chips: &c [*c]")).empty());
  EXPECT_FALSE(problems(with_gateway("log: &l {level: *l}")).empty());
}

}  // namespace
}  // namespace chipgate::config
