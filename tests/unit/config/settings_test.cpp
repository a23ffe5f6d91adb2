// What a good configuration becomes, and what it is warned of.
#include "complete.hpp"
#include "fixture.hpp"

#include <gtest/gtest.h>

namespace chipgate::config {
namespace {

using namespace std::chrono_literals;

TEST(Configuration, FillsEveryOption) {
  const auto made = settings(complete);
  EXPECT_EQ(made.proxy.listen.address.text(), "0.0.0.0");
  EXPECT_EQ(made.proxy.listen.reach, protocol::ListenerReach::through_userland_proxy);
  EXPECT_EQ(made.proxy.listen.credentials->username, "u");
  EXPECT_TRUE(made.proxy.listen.credentials->password.equals(secret));
  EXPECT_EQ(made.proxy.listen.allow_clients.front().text(), "172.17.0.0/16");
  EXPECT_EQ(made.chip_ports.first, 20'001);
  EXPECT_EQ(made.chip_ports.last, 20'010);
  EXPECT_EQ(made.provider.preset, "decodo");
  EXPECT_EQ(made.provider.username, "alice");
  EXPECT_TRUE(made.provider.password.equals(secret));
  EXPECT_EQ(made.provider.country + made.provider.city, "brsantos");
  EXPECT_EQ(made.provider.lifetime, 30min);
  EXPECT_EQ(made.gateway.tls.ca_file, "etc/ca.pem");
  EXPECT_EQ(made.gateway.tls.server_name, "gate.decodo.com");
  EXPECT_EQ(made.gateway.connect_timeout, 4s);
  EXPECT_EQ(made.gateway.resolve_every, 60s);
  EXPECT_EQ(made.proxy.limits.tunnels, 2000U);
  EXPECT_EQ(made.proxy.limits.tunnels_per_chip, 10U);
  EXPECT_EQ(made.proxy.limits.handshakes_per_chip, 20U);
  EXPECT_EQ(made.proxy.limits.held_per_chip, 3U);
  EXPECT_EQ(made.proxy.limits.max_whatsapp_sessions, 1U);
  EXPECT_EQ(made.proxy.crowd_age, 2min);
  std::vector<std::string> allowed;
  for (const auto& rule : made.proxy.destinations.allow) allowed.push_back(rule.text());
  EXPECT_EQ(allowed,
            (std::vector<std::string>{"whatsapp.com:443", "*.whatsapp.com:443", "whatsapp.net:443",
                                      "*.whatsapp.net:443", "icanhazip.com:443", "raw.githubusercontent.com:443",
                                      "*.example.org:8000-8099", "[2001:db8::/32]:443"}));
  ASSERT_EQ(made.proxy.destinations.deny.size(), 1U);
  EXPECT_EQ(made.proxy.destinations.deny.front().text(), "10.0.0.0/8");
  EXPECT_EQ(made.ledger.retention, 24h * 90);
  EXPECT_EQ(made.proxy.connect_budget, 12s);
  EXPECT_EQ(made.proxy.head_timeout, 5s);
  EXPECT_EQ(made.relay.idle_timeout, 10min);
  EXPECT_EQ(made.relay.half_closed, 30s);
  EXPECT_EQ(made.relay.first_reply, 20s);
  EXPECT_EQ(made.proxy.drain_deadline, 20s);
  EXPECT_EQ(made.proxy.fail_style, protocol::FailStyle::reset);
  EXPECT_EQ(made.proxy.workers, 4U);
  EXPECT_EQ(made.log.level, telemetry::LogLevel::debug);
  EXPECT_EQ(made.log.format, telemetry::LogFormat::json);
  EXPECT_EQ(made.log.access, telemetry::AccessLines::off);
  EXPECT_EQ(made.log.path, "etc/log/chipgate.log");
  EXPECT_EQ(made.admin.listen.text(), "[::1]:9000");
  EXPECT_EQ(made.admin.hosts, std::vector<std::string>{"chipgate.example.org"});
  EXPECT_EQ(made.admin.token_file, "etc/secrets/token");
  EXPECT_TRUE(made.admin.token.empty());
  EXPECT_EQ(made.admin.price->per_gb, 3.5);
  EXPECT_EQ(made.admin.price->currency, "EUR");
  EXPECT_EQ(made.admin.webhook->url, "https://example.org/hooks/hunter2");
  EXPECT_TRUE(made.admin.webhook->secret.equals(secret));
  EXPECT_EQ(made.admin.webhook->events, std::vector<std::string>{"chip.blocked"});
  EXPECT_EQ(made.admin.webhook->position_file, "etc/chipgate.webhook");
}

TEST(Control, MayListenOnAUnixSocketWithATokenOfItsOwn) {
  const auto made = settings(with_gateway("admin: {listen: \"unix:run/chipgate.sock\", token: \"${TOKEN}\"}")).admin;
  EXPECT_EQ(made.unix_socket, "etc/run/chipgate.sock");
  EXPECT_EQ(admin::listen_text(made), "unix:etc/run/chipgate.sock");
  EXPECT_TRUE(made.token.equals("hunter2-and-more"));
  EXPECT_FALSE(made.price);
  EXPECT_FALSE(made.webhook);
  EXPECT_EQ(settings(with_gateway("")).admin.token_file, "etc/chipgate.token");
  EXPECT_EQ(settings(with_gateway("")).ledger.path, "etc/chipgate.db");
}

TEST(Endpoints, TakeTheirPortFromThePreset) {
  const auto endpoints = settings(complete).gateway.endpoints;
  ASSERT_EQ(endpoints.size(), 3U);
  EXPECT_EQ(endpoints[0].kind, gateway::EndpointKind::http);
  EXPECT_EQ(endpoints[0].port, 7000);
  EXPECT_EQ(endpoints[1].kind, gateway::EndpointKind::https);
  EXPECT_EQ(endpoints[1].port, 7443);
  EXPECT_EQ(endpoints[2].kind, gateway::EndpointKind::socks5);
  EXPECT_EQ(endpoints[2].host, "2001:db8::1");
}

TEST(Chips, TakeTheLowestFreePortsInOrder) {
  const auto chips = settings(complete).chips;
  std::vector<std::string> found;
  for (const auto& chip : chips) found.push_back(chip.id.value() + " " + chip.alias + " " + std::to_string(chip.port));
  EXPECT_EQ(found,
            (std::vector<std::string>{"sales-01 Sales 20001", "first-free  20002", "bot-8 Bot 8 21001",
                                      "bot-9 Bot 9 21002", "bot-10 Bot 10 21003", "chosen  0", "next-free  20003"}));
}

TEST(Chips, MayHaveALimitOfTheirOwnForWhatsAppSessions) {
  const auto chips = settings(with_gateway("limits: {max_whatsapp_sessions: 1}\nchips: [{id: a}, "
                                           "{id: b, max_whatsapp_sessions: 2}, {id: c, max_whatsapp_sessions: off}]"))
                         .chips;
  EXPECT_EQ(chips[0].max_whatsapp_sessions, std::nullopt);
  EXPECT_EQ(chips[1].max_whatsapp_sessions, 2U);
  EXPECT_EQ(chips[2].max_whatsapp_sessions, 0U);
}

TEST(Chips, DoNotTakeAdminsPort) {
  const auto chips = settings(with_gateway("listen: {ports: 9310-9320}\nchips: [{id: a}]")).chips;
  EXPECT_EQ(chips.front().port, 9311);
}

TEST(Chips, MayBeTwentyThousand) {
  const auto chips =
      settings(with_gateway("listen: {ports: 1024-30000}\nchips: [{id: \"a{n}\", numbers: 1-20000}]")).chips;
  EXPECT_EQ(chips.size(), 20'000U);
  EXPECT_EQ(chips.back().id.value(), "a20000");
}

TEST(Defaults, AreThoseOfTheOptions) {
  const auto made = settings(with_gateway("log:\nchips: []\nlisten: {}"));
  EXPECT_TRUE(made.proxy.listen.address.is_loopback());
  EXPECT_EQ(made.proxy.listen.reach, protocol::ListenerReach::direct);
  EXPECT_EQ(made.gateway.endpoints.front().host, "proxy.smartproxy.net");
  EXPECT_EQ(made.gateway.endpoints.front().port, 3120);
  EXPECT_EQ(made.proxy.connect_budget, 15s);
  EXPECT_EQ(made.relay.first_reply, 15s);
  EXPECT_TRUE(made.chips.empty());
  EXPECT_EQ(made.ledger.retention, 0s);
  EXPECT_EQ(made.proxy.limits.max_whatsapp_sessions, 0U);
  EXPECT_EQ(made.proxy.crowd_age, 90s);
  EXPECT_TRUE(made.proxy.destinations.allow.empty() && made.proxy.destinations.deny.empty());
  EXPECT_TRUE(warnings(with_gateway("")).empty());
}

TEST(UserlandProxy, IsAssumedOnlyWhereItIsSaidOnLoopback) {
  EXPECT_EQ(settings(with_gateway("listen: {behind_userland_proxy: true}")).proxy.listen.reach,
            protocol::ListenerReach::through_userland_proxy);
}

TEST(Variables, AreFilledInAfterTheYamlIsRead) {
  EXPECT_EQ(settings(with_gateway("chips: [{id: a, port: \"${PORT}\"}]")).chips.front().port, 20'005);
  EXPECT_EQ(settings(with_gateway("chips: [{id: a, alias: \"$${PORT} ${PORT}$\"}]")).chips.front().alias,
            "${PORT} 20005$");
}

TEST(Password, ComesFromAFileWithoutItsLineEnd) {
  for (const auto* file : {"password", "crlf", "/run/secrets/password"}) {
    const auto made = settings("gateway: {username: a, password_file: " + std::string(file) + "}");
    EXPECT_TRUE(made.provider.password.equals(secret)) << file;
  }
}

TEST(Password, MayLookLikeANumber) {
  EXPECT_TRUE(settings("gateway: {username: 007, password: 0123}").provider.password.equals("0123"));
}

struct Doubtful {
  std::string text;
  std::string warning;
};

TEST(Warnings, StandBesideTheSettings) {
  const std::vector<Doubtful> table{
      {with_gateway("timeouts: {connect_budget: 20s}"), "2 timeouts.connect_budget clients give up after 20s"},
      {with_gateway("timeouts: {connect_budget: 5s}"), "2 timeouts.head is longer than timeouts.connect_budget"},
      {with_gateway("verify: {echoes_v4: [\"http://a.example/1\", \"http://a.example/2\"]}"),
       "2 verify.echoes_v4 are all of one host"},
      {with_gateway("timeouts: {idle: 30s}"), "2 timeouts.idle cuts tunnels that are in use"},
      {with_gateway("listen:\n  ports: 32000-33000"), "3 listen.ports reaches into the ports of outgoing"},
      {with_gateway("chips:\n- {id: \"a{n}\", numbers: 1-9, port: 40000}"), "3 chips[0].port 40000 is among"},
      {with_gateway("admin: {listen: \"0.0.0.0:9310\"}"), "2 admin.listen the control port is open beyond"},
      {with_gateway("admin: {webhook: {url: \"http://a.example/\"}}"), "2 admin.webhook.secret is missing"},
      {"gateway: {username: a, password_file: open}", "1 gateway.password_file may be read or written by everybody"},
      {"gateway: {username: a, password: b, tls: {}}", "1 gateway.tls has no effect"},
      {"gateway: {username: a, password: b, connect_timeout: 16s}", "1 gateway.connect_timeout is longer than"},
      {"gateway:\n  username: a\n  password: b\n  endpoints:\n  - http://gate.decodo.com:7000",
       "5 gateway.endpoints[0] gate.decodo.com does not belong to the preset smartproxy"}};
  for (const auto& [text_of_file, expected] : table) {
    const auto found = warnings(text_of_file);
    ASSERT_EQ(found.size(), 1U) << text_of_file;
    EXPECT_TRUE(found.front().starts_with(expected)) << found.front();
  }
}

// What commands read of it, in a shell that knows nothing of the gateway.
TEST(LoadAdmin, WantsNothingOfTheRest) {
  const auto text = std::string("gateway: {username: a, password: \"${NOT_SET}\", preset: none}\n") +
                    "admin: {listen: \"127.0.0.1:9000\", token_file: t}";
  auto shell = environment();
  shell.read = [&](const std::string&) -> FileContent { return {.text = text, .mode = 0600}; };
  const auto admin = load_admin("etc/chipgate.yaml", shell);
  ASSERT_TRUE(admin.has_value()) << lines(admin.error()).front();
  EXPECT_EQ(admin->listen.text(), "127.0.0.1:9000");
  EXPECT_EQ(admin->token_file, "etc/t");
  EXPECT_TRUE(load("etc/chipgate.yaml", shell).has_error());
}

TEST(LoadAdmin, MindsNoSlipElsewhereAndReadsNoSecretOfTheWebhook) {
  const auto text = std::string("gatway: {}\nlog: {}\nlog: {levle: info}\nadmin:\n  listen: \"127.0.0.1:9000\"\n") +
                    "  webhook: {url: \"http://a.example\", secret: \"${NOT_SET}\"}\n";
  auto shell = environment();
  shell.read = [&](const std::string&) -> FileContent { return {.text = text, .mode = 0600}; };
  const auto admin = load_admin("etc/chipgate.yaml", shell);
  ASSERT_TRUE(admin.has_value()) << lines(admin.error()).front();
  EXPECT_EQ(admin->listen.text(), "127.0.0.1:9000");
}

TEST(LoadAdmin, TellsOfASlipThatHidesItsPart) {
  std::string text;
  auto shell = environment();
  shell.read = [&](const std::string&) -> FileContent { return {.text = text, .mode = 0600}; };
  for (const auto* const hidden : {"admn: {listen: \"127.0.0.1:9000\"}", "admin:\ntoken_file: /run/token"}) {
    text = hidden;
    EXPECT_TRUE(load_admin("etc/chipgate.yaml", shell).has_error()) << text;
  }
}

TEST(LoadAdmin, TellsWhatIsWrongWithItsPart) {
  auto shell = environment();
  shell.read = [](const std::string&) -> FileContent { return {.text = "admin:\n  listen: nowhere", .mode = 0600}; };
  const auto admin = load_admin("etc/chipgate.yaml", shell);
  ASSERT_TRUE(admin.has_error());
  EXPECT_TRUE(lines(admin.error()).front().starts_with("2 admin.listen ")) << lines(admin.error()).front();
  EXPECT_TRUE(load_admin("nowhere.yaml", environment()).has_error());
}

TEST(Load, WarnsOfASecretInAFileThatEverybodyMayRead) {
  std::string text = "gateway: {username: a, password: hunter2}\nadmin: {token: hunter2hunter2hunter2}";
  mode_t mode = 0644;
  auto shell = environment();
  shell.read = [&](const std::string&) -> FileContent { return {.text = text, .mode = mode}; };
  const auto told = [&] { return lines(load("etc/chipgate.yaml", shell).value().warnings); };
  EXPECT_EQ(told(), (std::vector<std::string>{"1 gateway.password stands in a file that everybody may read or write",
                                              "2 admin.token stands in a file that everybody may read or write"}));
  mode = 0640;
  EXPECT_TRUE(told().empty());
  mode = 0644;
  text = "gateway: {username: a, password: \"${PASS}\"}";
  EXPECT_TRUE(told().empty()) << "it stands elsewhere";
}

TEST(Load, SaysWhyAFileCannotBeRead) {
  const auto result = load("nowhere.yaml", environment());
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(text(result.error().front()), "nowhere.yaml: cannot be read: No such file or directory");
  EXPECT_TRUE(load("/", process_environment()).has_error());
  EXPECT_TRUE(load("/dev/zero", process_environment()).has_error());
}

}  // namespace
}  // namespace chipgate::config
