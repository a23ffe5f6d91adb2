// Names, JSON, API texts, pages and the fates of tunnels: everything that needs no socket.
#include "sim/api_text.hpp"
#include "sim/json.hpp"
#include "sim/names.hpp"
#include "sim/pages.hpp"
#include "sim/tunnel_fate.hpp"

#include <gtest/gtest.h>

namespace chipgate::sim {
namespace {

TEST(NameMap, LeadsOnlyToThisHost) {
  NameMap names;
  EXPECT_TRUE(names.add("Web.WhatsApp.com:443", "127.0.0.1:9000"));
  EXPECT_FALSE(names.add("web.whatsapp.com:443", "192.0.2.1:443"));
  EXPECT_FALSE(names.add("web.whatsapp.com", "127.0.0.1:9000"));
  EXPECT_EQ(names.find({"web.whatsapp.com", 443})->text(), "127.0.0.1:9000");
  EXPECT_FALSE(names.find({"web.whatsapp.com", 80}));
}

TEST(Names, ASourceSaysHowMuchInItsName) {
  EXPECT_EQ(bytes_wanted("1000.source.sim"), 1000U);
  EXPECT_FALSE(bytes_wanted("source.sim"));
  EXPECT_FALSE(bytes_wanted("x.source.sim"));
  EXPECT_FALSE(bytes_wanted("1000.sink.sim"));
}

TEST(Json, ReadsWhatTheApiSends) {
  const auto json = Json::parse(R"( {"a": [1, "x\n\u00e9", true, null], "b": {"c": 2}} )");
  ASSERT_TRUE(json && json->object());
  const auto& a = *json->object()->at("a").array();
  EXPECT_EQ(*a[0].number(), 1U);
  EXPECT_EQ(*a[1].string(), "x\n\xc3\xa9");
  EXPECT_TRUE(*a[2].boolean());
  EXPECT_EQ(*json->object()->at("b").object()->at("c").number(), 2U);
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const auto* text : {"", "{", "[1,]", "{\"a\":}", "{a:1}", "\"", "1.5", "-1", "{} x", "\"\\u12\"", "01"}) {
    EXPECT_FALSE(Json::parse(text)) << text;
  }
  EXPECT_FALSE(Json::parse(std::string(100'000, '[')));
}

TEST(Json, QuotesWhatItWrites) {
  JsonWriter json;
  EXPECT_EQ(json.text("a", "\"\\\n").number("b", 2).done(), R"({"a":"\"\\\u000a","b":2})");
}

TEST(ApiText, ReadsAFault) {
  const auto parsed = fault_of(R"({"stage":"connect","kind":"status","status":407,"headers":{"X-A":"b"},
                                   "count":3,"session":"s","listener":"socks5","delay_ms":20,"how":"fin"})");
  ASSERT_TRUE(std::holds_alternative<Fault>(parsed));
  const auto& fault = std::get<Fault>(parsed);
  EXPECT_EQ(fault.status, 407U);
  EXPECT_EQ(fault.headers.find("X-A"), "b");
  EXPECT_EQ(fault.count, 3U);
  EXPECT_EQ(fault.listener, ListenerKind::socks5);
  EXPECT_EQ(fault.delay, Milliseconds(20));
  EXPECT_EQ(fault.how, CloseHow::fin);
}

TEST(ApiText, SaysWhatIsWrongWithAFault) {
  const auto complaint = [](std::string_view json) {
    const auto parsed = fault_of(json);
    return std::holds_alternative<Complaint>(parsed) ? std::get<Complaint>(parsed).text : "";
  };
  EXPECT_EQ(complaint("no"), "the body is not a JSON object");
  EXPECT_EQ(complaint(R"({"kind":"rst"})"), "stage and kind are required");
  EXPECT_EQ(complaint(R"({"stage":"connect","kind":"rst","cuont":1})"), "unknown key: cuont");
  EXPECT_EQ(complaint(R"({"stage":"connect","kind":"status","status":70000})"), "bad value for status");
  EXPECT_EQ(complaint(R"({"stage":"connect","kind":"rst","listener":"ftp"})"), "bad value for listener");
}

TEST(ApiText, ReadsPaths) {
  const auto path = parse_path("/sessions/chip%2d1/move?how=fin&x=1");
  ASSERT_TRUE(path);
  EXPECT_EQ(path->segments, (std::vector<std::string>{"sessions", "chip-1", "move"}));
  EXPECT_EQ(query_value(path->query, "x"), "1");
  EXPECT_EQ(query_value(path->query, "how"), "fin");
  EXPECT_FALSE(query_value(path->query, "h"));
  EXPECT_FALSE(parse_path("/a%2"));
}

Visit visit(std::string method, std::string target) {
  Visit made;
  made.head.method = std::move(method);
  made.head.target = std::move(target);
  made.raw_head = "the head";
  made.body_bytes = 7;
  made.source = *IpAddress::parse("127.20.0.3");
  return made;
}

TEST(Pages, SayWhoCame) {
  EXPECT_EQ(page_for(visit("GET", "/")).body, "127.20.0.3\n");
  EXPECT_EQ(page_for(visit("GET", "/json?x")).body, "{\"ip\":\"127.20.0.3\"}\n");
  EXPECT_EQ(page_for(visit("GET", "/headers")).body, "the head");
  EXPECT_EQ(page_for(visit("POST", "/anything")).body, "7\n");
  EXPECT_EQ(page_for(visit("GET", "/bytes/1000")).pattern_bytes, 1000U);
  EXPECT_EQ(page_for(visit("GET", "/bytes/x")).status, 404U);
  EXPECT_EQ(page_for(visit("GET", "/chunked/3")).chunks, 3U);
  EXPECT_EQ(page_for(visit("GET", "/delay/20")).delay, Milliseconds(20));
}

TEST(Pages, ThePatternTellsEveryOffset) {
  for (const std::uint64_t offset : {0U, 1U, 250U, 251U, 1'000'003U}) {
    EXPECT_EQ(static_cast<unsigned char>(pattern_from(offset)[0]), offset % pattern_period);
  }
}

Fault of_tunnel(FaultKind kind) {
  Fault fault;
  fault.stage = FaultStage::tunnel;
  fault.kind = kind;
  return fault;
}

const TimePoint opened{};

TEST(TunnelFate, WithoutAFaultTunnelsGoOn) {
  TunnelFate fate(std::nullopt, opened);
  fate.moved(1'000'000, opened);
  EXPECT_EQ(fate.verdict(opened + std::chrono::hours(1)), Verdict::go_on);
  EXPECT_FALSE(fate.next_look(opened));
}

TEST(TunnelFate, CutsAfterExactlySoManyBytes) {
  auto fault = of_tunnel(FaultKind::cut);
  fault.after_bytes = 100;
  TunnelFate fate(fault, opened);
  fate.moved(60, opened);
  EXPECT_EQ(fate.budget(opened), 40U);
  EXPECT_EQ(fate.verdict(opened), Verdict::go_on);
  fate.moved(40, opened);
  EXPECT_EQ(fate.verdict(opened), Verdict::cut);
}

TEST(TunnelFate, FreezesAfterATime) {
  auto fault = of_tunnel(FaultKind::blackhole);
  fault.delay = Milliseconds(50);
  TunnelFate fate(fault, opened);
  EXPECT_EQ(fate.verdict(opened), Verdict::go_on);
  EXPECT_EQ(fate.next_look(opened), opened + Milliseconds(50));
  EXPECT_EQ(fate.verdict(opened + Milliseconds(50)), Verdict::freeze);
}

TEST(TunnelFate, ReapsOnlyTheIdle) {
  auto fault = of_tunnel(FaultKind::idle_reap);
  fault.delay = Milliseconds(50);
  TunnelFate fate(fault, opened);
  fate.moved(1, opened + Milliseconds(40));
  EXPECT_EQ(fate.verdict(opened + Milliseconds(60)), Verdict::go_on);
  EXPECT_EQ(fate.next_look(opened), opened + Milliseconds(90));
  EXPECT_EQ(fate.verdict(opened + Milliseconds(90)), Verdict::cut);
}

TEST(TunnelFate, ThrottlesByTheClock) {
  auto fault = of_tunnel(FaultKind::throttle);
  fault.bytes_per_second = 1000;
  TunnelFate fate(fault, opened);
  EXPECT_EQ(fate.budget(opened), 0U);
  EXPECT_EQ(fate.budget(opened + Milliseconds(100)), 100U);
  fate.moved(100, opened + Milliseconds(100));
  EXPECT_EQ(fate.budget(opened + Milliseconds(100)), 0U);
  EXPECT_TRUE(fate.next_look(opened + Milliseconds(100)));
}

}  // namespace
}  // namespace chipgate::sim
