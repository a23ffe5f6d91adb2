// The API of chips and of what they can be told to do.
#include "api_test.hpp"

namespace chipgate::admin {
namespace {

using lifecycle::Denial;
namespace json = boost::json;

class ChipsTest : public ApiTest {
 protected:
  Response act(const std::string& action, std::string body = {}, const std::string& chip = "alpha") {
    return ask("POST", "/api/v1/chips/" + chip + "/actions/" + action, std::move(body));
  }
  std::string asked() const { return control_.asked.empty() ? "" : control_.asked.back(); }
  lifecycle::ChipView& alpha() { return control_.chips_by_id.at(chip_id("alpha")); }
};

std::vector<std::string> ids(const json::object& page) {
  std::vector<std::string> found;
  for (const auto& chip : page.at("chips").as_array()) found.emplace_back(chip.at("id").as_string());
  return found;
}

TEST_F(ChipsTest, AreListedPageByPage) {
  control_.chips_by_id.insert_or_assign(chip_id("gamma"), active_chip("gamma", 20003, 43));
  auto page = parsed(ask("GET", "/api/v1/chips?limit=2"));
  EXPECT_EQ(ids(page), (std::vector<std::string>{"alpha", "beta"}));
  ASSERT_EQ(page.at("next_cursor"), "beta");
  page = parsed(ask("GET", "/api/v1/chips?limit=2&cursor=beta"));
  EXPECT_EQ(ids(page), std::vector<std::string>{"gamma"});
  EXPECT_TRUE(page.at("next_cursor").is_null());
  // A chip that was removed meanwhile leaves no hole.
  EXPECT_EQ(ids(parsed(ask("GET", "/api/v1/chips?cursor=bb"))), (std::vector<std::string>{"beta", "gamma"}));
  EXPECT_EQ(ids(parsed(ask("GET", "/api/v1/chips?state=active"))), (std::vector<std::string>{"alpha", "gamma"}));
  EXPECT_EQ(refusal(ask("GET", "/api/v1/chips?state=awake")), "400 bad_value state");
  EXPECT_EQ(refusal(ask("GET", "/api/v1/chips?limit=0")), "400 bad_value limit");
}

TEST_F(ChipsTest, AreShownWithAllThatIsKnown) {
  alpha().spec.alias = "Sales \"1\"";
  alpha().traffic_today = {1'000'000'000, 1'000'000'000};
  alpha().trouble = Error{ErrorKind::provider_no_exit, "503"};
  const auto chip = parsed(ask("GET", "/api/v1/chips/alpha"));
  EXPECT_EQ(chip.at("alias"), "Sales \"1\"");
  EXPECT_EQ(chip.at("state"), "active");
  EXPECT_EQ(chip.at("proxy_url"), "http://127.0.0.1:20001");
  EXPECT_EQ(chip.at("connect"), "on_demand");
  EXPECT_EQ(chip.at("armed"), true);
  EXPECT_EQ(chip.at("assignment").at("id"), 41);
  EXPECT_EQ(chip.at("assignment").at("exit_ips").at(0), "203.0.113.7");
  EXPECT_EQ(chip.at("assignment").at("assigned_at"), "2026-01-02T03:04:05.000Z");
  EXPECT_TRUE(chip.at("pending").is_null());
  EXPECT_EQ(chip.at("trouble").at("code"), "provider_no_exit");
  EXPECT_EQ(chip.at("traffic").at("today").at("cost"), 5.0);
  EXPECT_EQ(chip.at("traffic").at("currency"), "EUR");
}

TEST_F(ChipsTest, ThatAreUnknownAre404) {
  EXPECT_EQ(refusal(ask("GET", "/api/v1/chips/nobody")), "404 unknown_chip id");
  EXPECT_EQ(refusal(ask("GET", "/api/v1/chips/no%20body")), "404 unknown_chip id");
  EXPECT_EQ(refusal(ask("DELETE", "/api/v1/chips/nobody")), "404 unknown_chip id");
  for (const auto* action : {"connect", "release", "rotate", "verify"}) {
    EXPECT_EQ(refusal(act(action, "", "nobody")), "404 unknown_chip id") << action;
    EXPECT_EQ(refusal(act(action, "", "no%2fbody")), "404 unknown_chip id") << action;
  }
}

TEST_F(ChipsTest, AreMadeAndChanged) {
  const std::string body = R"({"alias":"Sales","port":20009,"connect":"manual","quota":{"day":5,"month":6}})";
  EXPECT_EQ(ask("PUT", "/api/v1/chips/new", body).status, 201U);
  EXPECT_EQ(asked(), "put new alias=Sales port=20009 connect=0 quota=5/6");
  const auto again = ask("PUT", "/api/v1/chips/new", body);
  EXPECT_EQ(again.status, 200U);
  EXPECT_EQ(parsed(again).at("port"), 20009);
  EXPECT_EQ(ask("PUT", "/api/v1/chips/plain").status, 201U);
  EXPECT_EQ(asked(), "put plain alias= port=0 connect=1 quota=0/0");
  EXPECT_EQ(ask("PUT", "/api/v1/chips/plain", R"({"alias":null,"quota":null})").status, 200U);
}

TEST_F(ChipsTest, AreNotMadeOfBadInput) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"{", "400 malformed_json"},
      {"[]", "400 malformed_json"},
      {"{} {}", "400 malformed_json"},
      {R"({"prot":20001})", "400 unknown_member prot"},
      {R"({"quota":{"week":1}})", "400 unknown_member quota.week"},
      {R"({"port":"20001"})", "400 bad_value port"},
      {R"({"port":20001.5})", "400 bad_value port"},
      {R"({"port":-1})", "400 bad_value port"},
      {R"({"port":65536})", "400 bad_value port"},
      {R"({"alias":7})", "400 bad_value alias"},
      {R"({"alias":")" + std::string(129, 'x') + "\"}", "400 bad_value alias"},
      {R"({"alias":"a\tb"})", "400 bad_value alias"},
      {R"({"connect":"always"})", "400 bad_value connect"},
      {R"({"quota":7})", "400 bad_value quota"},
      {R"({"quota":{"day":-7}})", "400 bad_value quota.day"}};
  for (const auto& [body, expected] : table) {
    EXPECT_EQ(refusal(ask("PUT", "/api/v1/chips/new", body)), expected) << body;
  }
  for (const auto* id : {"a%20b", "a%2Fb", "%00", "%C3%A9"}) {
    EXPECT_EQ(refusal(ask("PUT", "/api/v1/chips/" + std::string(id))), "400 bad_id id") << id;
  }
  EXPECT_TRUE(control_.asked.empty());
}

TEST_F(ChipsTest, TellWhyAWishIsDenied) {
  const std::vector<std::pair<lifecycle::Denied, std::string>> table{
      {{Denial::unknown_chip, "m", "id"}, "404 unknown_chip id"},
      {{Denial::not_current, "m", "assignment_id"}, "409 not_current assignment_id"},
      {{Denial::port_taken, "m", "port"}, "409 port_taken port"},
      {{Denial::port_out_of_range, "m", "port"}, "400 port_out_of_range port"},
      {{Denial::alias_taken, "m", "alias"}, "409 alias_taken alias"},
      {{Denial::bad_id, "a-country-us reads as a parameter", "id"}, "400 bad_id id"},
      {{Denial::not_released, "m", "port"}, "409 not_released port"},
      {{Denial::capped, "m", ""}, "429 capped"},
      {{Denial::configured, "m", ""}, "409 configured"},
      {{Denial::ledger_unavailable, "m", ""}, "503 ledger_unavailable"}};
  for (const auto& [denied, expected] : table) {
    control_.denied = denied;
    EXPECT_EQ(refusal(ask("PUT", "/api/v1/chips/alpha")), expected);
    EXPECT_EQ(refusal(ask("DELETE", "/api/v1/chips/alpha")), expected);
    for (const auto* action : {"connect", "release", "rotate", "verify"}) EXPECT_EQ(refusal(act(action)), expected);
    EXPECT_EQ(refusal(act("report", R"({"kind":"suspect"})")), expected);
  }
}

TEST_F(ChipsTest, AreDeletedOnce) {
  const auto gone = ask("DELETE", "/api/v1/chips/alpha");
  EXPECT_EQ(gone.status, 200U);
  EXPECT_EQ(parsed(gone).at("released"), 41);
  EXPECT_EQ(ask("DELETE", "/api/v1/chips/alpha").status, 404U);
}

TEST_F(ChipsTest, ConnectHandsOverTheProxyOnlyWhereItAdmits) {
  auto response = act("connect?wait=20s");
  EXPECT_EQ(asked(), "connect alpha 20s");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(parsed(response).at("assignment_id"), 41);
  EXPECT_EQ(parsed(response).at("proxy_url"), "http://127.0.0.1:20001");
  EXPECT_EQ(parsed(response).at("chip").at("id"), "alpha");
  alpha().state = State::renewing;
  EXPECT_EQ(act("connect").status, 200U);
  EXPECT_EQ(asked(), "connect alpha 15s");
  for (const auto state : {State::acquiring, State::resuming}) {
    alpha().state = state;
    response = act("connect");
    EXPECT_EQ(response.status, 202U);
    EXPECT_EQ(parsed(response).at("state"), boost::json::string(lifecycle::name(state)));
    EXPECT_FALSE(parsed(response).contains("proxy_url"));
    EXPECT_FALSE(parsed(response).contains("assignment_id"));
  }
  alpha().state = State::blocked;
  alpha().trouble = Error{ErrorKind::provider_payment, "out of traffic"};
  response = act("connect");
  EXPECT_EQ(refusal(response), "503 provider_payment");
  EXPECT_FALSE(parsed(response).contains("proxy_url"));
  alpha().trouble.reset();
  EXPECT_EQ(refusal(act("connect")), "503 no_assignment");
  alpha().state = State::released;
  EXPECT_EQ(refusal(act("connect")), "409 released_meanwhile");
}

TEST_F(ChipsTest, ConnectReadsItsWishes) {
  act("connect?wait=0", R"({"force":true})");
  EXPECT_EQ(asked(), "connect alpha 0s forced");
  EXPECT_EQ(refusal(act("connect?wait=3min")), "400 bad_value wait");
  EXPECT_EQ(refusal(act("connect?wait=soon")), "400 bad_value wait");
  EXPECT_EQ(refusal(act("connect", R"({"force":"yes"})")), "400 bad_value force");
  EXPECT_EQ(refusal(act("connect", R"({"assignment_id":1})")), "400 unknown_member assignment_id");
  EXPECT_EQ(control_.asked.size(), 1U);
}

TEST_F(ChipsTest, ReleaseSaysWhatEnded) {
  const auto response = act("release", R"({"assignment_id":41})");
  EXPECT_EQ(asked(), "release alpha 41");
  EXPECT_EQ(parsed(response).at("released"), 41);
  EXPECT_EQ(parsed(response).at("recorded"), true);
  const auto again = act("release");
  EXPECT_EQ(again.status, 200U);
  EXPECT_TRUE(parsed(again).at("released").is_null());
  control_.recorded = lifecycle::Recorded::fenced_not_recorded;
  EXPECT_EQ(parsed(act("release")).at("recorded"), false);
  EXPECT_EQ(refusal(act("release", R"({"assignment_id":0})")), "400 bad_value assignment_id");
  EXPECT_EQ(refusal(act("release", R"({"assignment_id":"41"})")), "400 bad_value assignment_id");
}

TEST_F(ChipsTest, RotateAnswersAsConnect) {
  control_.on_connect = [](lifecycle::ChipView& chip) { chip.assignment->id = AssignmentId(42); };
  const auto response = act("rotate?wait=1s", R"({"assignment_id":41,"force":true})");
  EXPECT_EQ(asked(), "rotate alpha 41 1s forced");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(parsed(response).at("assignment_id"), 42);
}

TEST_F(ChipsTest, VerifyTellsWhatWasSeen) {
  EXPECT_EQ(parsed(act("verify")).at("verdict"), "same");
  EXPECT_EQ(parsed(act("verify")).at("exit_ip"), "203.0.113.7");
  control_.looked = {lifecycle::LookVerdict::unknown, std::nullopt, Error{ErrorKind::provider_exit_timeout}};
  const auto response = parsed(act("verify"));
  EXPECT_EQ(response.at("verdict"), "unknown");
  EXPECT_EQ(response.at("trouble").at("code"), "provider_exit_timeout");
}

TEST_F(ChipsTest, ReportDeniesABannedAddress) {
  const auto response = act("report", R"({"kind":"banned","note":"403 at login","assignment_id":41})");
  EXPECT_EQ(asked(), "report alpha banned '403 at login' 41");
  EXPECT_EQ(parsed(response).at("denied_exit_ip"), "203.0.113.7");
  EXPECT_TRUE(parsed(act("report", R"({"kind":"suspect"})")).at("denied_exit_ip").is_null());
  EXPECT_EQ(refusal(act("report")), "400 bad_value kind");
  EXPECT_EQ(refusal(act("report", R"({"kind":"sad"})")), "400 bad_value kind");
}

}  // namespace
}  // namespace chipgate::admin
