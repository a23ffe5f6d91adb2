// The API of what the ledger keeps, and of how things stand.
#include "api_test.hpp"

namespace chipgate::admin {
namespace {

class HistoryTest : public ApiTest {
 protected:
  void add_row(std::int64_t id, const std::string& chip) {
    ledger::HistoryRow history{.row = {.chip = chip_id(chip)}};
    history.row.id = AssignmentId(id);
    history.row.session = SessionIdentifier("chip-" + chip + "-" + std::to_string(id));
    history.row.exits.v4 = ip("203.0.113.7");
    history.row.assigned_at = history.row.verified_at = at("2026-01-02T03:04:05Z");
    history.row.traffic = {10, 20};
    ledger_.history.push_back(history);
  }
};

TEST_F(HistoryTest, IsAnsweredPageByPageNewestFirst) {
  for (const int id : {9, 8, 7}) add_row(id, "alpha");
  auto page = parsed(ask("GET", "/api/v1/assignments?limit=2"));
  EXPECT_EQ(page.at("assignments").as_array().size(), 2U);
  ASSERT_EQ(page.at("next_cursor"), "8");
  page = parsed(ask("GET", "/api/v1/assignments?limit=2&cursor=8"));
  EXPECT_EQ(page.at("assignments").at(0).at("id"), 7);
  EXPECT_TRUE(page.at("next_cursor").is_null());
}

TEST_F(HistoryTest, HandsItsFiltersToTheLedger) {
  const auto response = ask("GET",
                            "/api/v1/assignments?chip=alpha&exit_ip=203.0.113.7&at=2026-01-02T03:04:05%2B01:00"
                            "&from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(ledger_.asked_for.chip, chip_id("alpha"));
  EXPECT_EQ(ledger_.asked_for.exit_ip, ip("203.0.113.7"));
  EXPECT_EQ(ledger_.asked_for.at, at("2026-01-02T02:04:05Z"));
  EXPECT_EQ(ledger_.asked_for.from, at("2026-01-01T00:00:00Z"));
  EXPECT_EQ(ledger_.asked_for.to, at("2026-01-03T00:00:00Z"));
}

TEST_F(HistoryTest, RefusesFiltersThatAreNone) {
  EXPECT_EQ(refusal(ask("GET", "/api/v1/assignments?at=yesterday")), "400 bad_value at");
  EXPECT_EQ(refusal(ask("GET", "/api/v1/assignments?at=2026-01-02T03:04:05+01:00")), "400 bad_value at");
  EXPECT_EQ(refusal(ask("GET", "/api/v1/assignments?exit_ip=300.0.0.1")), "400 bad_value exit_ip");
  EXPECT_EQ(refusal(ask("GET", "/api/v1/assignments?chip=a/b")), "400 bad_value chip");
  EXPECT_EQ(refusal(ask("GET", "/api/v1/assignments?cursor=-1")), "400 bad_value cursor");
  EXPECT_EQ(refusal(ask("GET", "/api/v1/assignments?format=xml")), "400 bad_value format");
  EXPECT_EQ(refusal(ask("GET", "/api/v1/assignments?from=2026-01-03T00:00:00Z&to=2026-01-03T00:00:00Z")),
            "400 bad_value to");
}

TEST_F(HistoryTest, SaysPossiblyWhereAnAddressWasOnlyObserved) {
  add_row(9, "alpha");
  auto& row = ledger_.history.front();
  row.certainty = ledger::Certainty::possibly;
  row.row.released_at = at("2026-01-02T04:00:00Z");
  row.row.release_reason = "moved";
  row.row.exposure = Milliseconds(1'500);
  row.observations.push_back(
      {.chip = chip_id("alpha"), .address = ip("198.51.100.1"), .at = at("2026-01-02T03:59:59Z"), .echo = "reply"});
  const auto body = parsed(ask("GET", "/api/v1/assignments"));
  const auto& made = body.at("assignments").at(0);
  EXPECT_EQ(made.at("possibly"), true);
  EXPECT_EQ(made.at("exposure_ms"), 1'500);
  EXPECT_EQ(made.at("release_reason"), "moved");
  EXPECT_EQ(made.at("observations").at(0).at("exit_ip"), "198.51.100.1");
}

TEST_F(HistoryTest, IsAnsweredAsCsv) {
  for (const int id : {9, 8}) add_row(id, "alpha");
  ledger_.history.front().row.release_reason = "said \"no\", twice";
  for (const auto& response : {ask("GET", "/api/v1/assignments?format=csv&limit=1"),
                               ask("GET", "/api/v1/assignments?limit=1", "", "text/csv")}) {
    EXPECT_EQ(response.content_type, "text/csv; charset=utf-8");
    EXPECT_EQ(
        response.body,
        "id,chip,session_identifier,exit_ip_v4,exit_ip_v6,certainty,assigned_at,released_at,release_reason,"
        "observed_exit_ips,bytes_up,bytes_down,endpoint\r\n"
        "9,alpha,chip-alpha-9,203.0.113.7,,surely,2026-01-02T03:04:05.000Z,,\"said \"\"no\"\", twice\",,10,20,\r\n");
    ASSERT_EQ(response.fields.size(), 1U);
    EXPECT_EQ(response.fields.front().second, "9");
  }
  EXPECT_EQ(ask("GET", "/api/v1/assignments?format=json", "", "text/csv").content_type, "application/json");
}

TEST_F(HistoryTest, IsUnavailableWithTheLedger) {
  ledger_.works = false;
  for (const auto* path : {"assignments", "events", "traffic", "denied"}) {
    EXPECT_EQ(refusal(ask("GET", "/api/v1/" + std::string(path))), "503 ledger_unavailable") << path;
  }
  EXPECT_EQ(refusal(ask("PUT", "/api/v1/denied/203.0.113.1")), "503 ledger_unavailable");
  EXPECT_EQ(refusal(ask("DELETE", "/api/v1/denied/203.0.113.1")), "503 ledger_unavailable");
  EXPECT_EQ(parsed(ask("GET", "/api/v1/status")).at("ledger_writable"), false);
}

TEST_F(HistoryTest, EventsAreTheLatestOrThoseBehindAnId) {
  for (std::int64_t id = 1; id <= 5; ++id) {
    ledger_.event_rows.push_back(
        {.id = id, .at = {}, .type = "chip.active", .chip = chip_id(id % 2 == 0 ? "beta" : "alpha")});
  }
  auto body = parsed(ask("GET", "/api/v1/events?limit=2"));
  EXPECT_EQ(body.at("events").at(0).at("id"), 4);
  EXPECT_EQ(body.at("next_after"), 5);
  EXPECT_EQ(body.at("more"), false);
  body = parsed(ask("GET", "/api/v1/events?limit=2&after=0"));
  EXPECT_EQ(body.at("events").at(1).at("id"), 2);
  EXPECT_EQ(body.at("more"), true);
  body = parsed(ask("GET", "/api/v1/events?after=5"));
  EXPECT_TRUE(body.at("events").as_array().empty());
  EXPECT_EQ(body.at("next_after"), 5);
  body = parsed(ask("GET", "/api/v1/events?chip=beta"));
  EXPECT_EQ(body.at("events").as_array().size(), 2U);
  EXPECT_EQ(refusal(ask("GET", "/api/v1/events?after=x")), "400 bad_value after");
}

TEST_F(HistoryTest, TrafficHasItsPrice) {
  ledger_.traffic_rows.push_back({.chip = chip_id("alpha"),
                                  .day = "2026-01-02",
                                  .clients = {1'000'000'000, 900'000'000},
                                  .own = {60'000'000, 40'000'000}});
  const auto body = parsed(ask("GET", "/api/v1/traffic?chip=alpha&from=2026-01-01&to=2026-01-31"));
  EXPECT_EQ(ledger_.traffic_asked, "alpha 2026-01-01 2026-01-31");
  EXPECT_EQ(body.at("bytes"), 2'000'000'000);
  EXPECT_EQ(body.at("cost"), 5.0);
  EXPECT_EQ(body.at("currency"), "EUR");
  EXPECT_EQ(body.at("traffic").at(0).at("own").at("up"), 60'000'000);
  world_.api.price.reset();
  EXPECT_FALSE(parsed(ask("GET", "/api/v1/traffic")).contains("cost"));
  EXPECT_EQ(refusal(ask("GET", "/api/v1/traffic?from=2026-02-30")), "400 bad_value from");
  EXPECT_EQ(refusal(ask("GET", "/api/v1/traffic?from=2026-02-02&to=2026-02-01")), "400 bad_value to");
}

TEST_F(HistoryTest, DeniedExitsAreKeptInTheLedger) {
  EXPECT_EQ(ask("PUT", "/api/v1/denied/203.0.113.9", R"({"reason":"listed","chip":"alpha"})").status, 200U);
  EXPECT_EQ(ask("PUT", "/api/v1/denied/2001:db8::1").status, 200U);
  ASSERT_EQ(ledger_.denied_rows.size(), 2U);
  EXPECT_EQ(ledger_.denied_rows.front().reason, "listed");
  auto body = parsed(ask("GET", "/api/v1/denied?limit=1"));
  ASSERT_TRUE(body.at("next_cursor").is_string());
  const std::string cursor(body.at("next_cursor").as_string());
  body = parsed(ask("GET", "/api/v1/denied?cursor=" + cursor));
  EXPECT_EQ(body.at("denied").as_array().size(), 1U);
  EXPECT_EQ(ask("DELETE", "/api/v1/denied/203.0.113.9").status, 200U);
  EXPECT_EQ(refusal(ask("DELETE", "/api/v1/denied/203.0.113.9")), "404 not_denied ip");
  EXPECT_EQ(refusal(ask("PUT", "/api/v1/denied/nowhere")), "400 bad_value ip");
  EXPECT_EQ(refusal(ask("PUT", "/api/v1/denied/203.0.113.9", R"({"chip":"a b"})")), "400 bad_value chip");
}

TEST_F(HistoryTest, TunnelsAreListedAndCut) {
  for (const std::uint64_t id : {7U, 5U, 6U}) {
    lifecycle::TunnelView tunnel;
    tunnel.id = lifecycle::TunnelId(id);
    tunnel.chip_id = id == 7 ? "beta" : "alpha";
    tunnel.target = "web.whatsapp.com:443";
    control_.open_tunnels.push_back(tunnel);
  }
  auto body = parsed(ask("GET", "/api/v1/tunnels?limit=2"));
  EXPECT_EQ(body.at("tunnels").at(0).at("id"), 5);
  ASSERT_EQ(body.at("next_cursor"), "6");
  body = parsed(ask("GET", "/api/v1/tunnels?cursor=6"));
  EXPECT_EQ(body.at("tunnels").at(0).at("id"), 7);
  EXPECT_EQ(parsed(ask("GET", "/api/v1/tunnels?chip=beta")).at("tunnels").as_array().size(), 1U);
  EXPECT_EQ(refusal(ask("GET", "/api/v1/tunnels?chip=nobody")), "404 unknown_chip chip");
  EXPECT_EQ(parsed(ask("DELETE", "/api/v1/tunnels/5")).at("cut"), 5);
  EXPECT_EQ(refusal(ask("DELETE", "/api/v1/tunnels/5")), "404 unknown_tunnel id");
  EXPECT_EQ(refusal(ask("DELETE", "/api/v1/tunnels/x")), "404 unknown_tunnel id");
}

TEST_F(HistoryTest, StatusIsOneLookAtEverything) {
  control_.chips_by_id.at(chip_id("alpha")).traffic_month = {2'000'000'000, 0};
  control_.gateway_view.account = Error{ErrorKind::provider_payment, ""};
  const auto body = parsed(ask("GET", "/api/v1/status"));
  EXPECT_EQ(body.at("chips").at("total"), 2);
  EXPECT_EQ(body.at("chips").at("active"), 1);
  EXPECT_EQ(body.at("chips").at("blocked"), 0);
  EXPECT_EQ(body.at("traffic").at("month").at("cost"), 5.0);
  EXPECT_EQ(body.at("gateway").at("account").at("code"), "provider_payment");
  EXPECT_EQ(body.at("checks").at("ports"), "bound");
  EXPECT_EQ(parsed(ask("GET", "/api/v1/gateway")).at("endpoints").at(0).at("up"), true);
}

TEST_F(HistoryTest, ConfigurationIsShownAsItsOwnerRedactsIt) {
  const auto response = ask("GET", "/api/v1/config");
  EXPECT_EQ(response.content_type, "application/yaml");
  EXPECT_EQ(response.body, "gateway:\n  password: \"***\"\n");
}

}  // namespace
}  // namespace chipgate::admin
