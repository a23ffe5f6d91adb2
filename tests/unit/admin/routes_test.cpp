// Answers to requests, without a socket.
#include "api_test.hpp"
#include "chipgate/admin/router.hpp"

#include <gtest/gtest.h>
#include <string>

namespace chipgate::admin {
namespace {

class RoutesTest : public ApiTest {
 protected:
  Response ask(std::string_view method, std::string_view target, std::vector<std::string_view> hosts = {"localhost"}) {
    return answer({.method = method,
                   .target = target,
                   .hosts = std::move(hosts),
                   .local = IpAddress::v4({192, 168, 1, 5}),
                   .authorization = authorization});
  }
  unsigned status_for_host(std::string_view host) { return ask("GET", "/livez", {host}).status; }

  static std::string field(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.fields) {
      if (key == name) return value;
    }
    return {};
  }

  Readiness& readiness_ = world_.source.current;
  std::string_view authorization{};
};

TEST_F(RoutesTest, LivezIsOk) {
  for (const auto* method : {"GET", "HEAD"}) {
    const auto response = ask(method, "/livez");
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.body, "ok\n");
  }
  EXPECT_EQ(ask("GET", "/livez?verbose").status, 200U);
}

TEST_F(RoutesTest, ReadyzTellsWhatStandsBehindIt) {
  readiness_ = {Ready::yes, {{"ports", "bound"}, {"gateway", "down"}}};
  const auto ready = ask("GET", "/readyz");
  EXPECT_EQ(ready.status, 200U);
  EXPECT_EQ(ready.content_type, "application/json");
  EXPECT_EQ(ready.body, "{\"ready\":true,\"checks\":{\"ports\":\"bound\",\"gateway\":\"down\"}}\n");
  readiness_ = {Ready::no, {{"draining", "yes \"\n"}}};
  const auto draining = ask("GET", "/readyz");
  EXPECT_EQ(draining.status, 503U);
  EXPECT_EQ(draining.body, "{\"ready\":false,\"checks\":{\"draining\":\"yes \\\"\\n\"}}\n");
}

TEST_F(RoutesTest, MetricsAreStreamed) {
  const auto response = ask("GET", "/metrics");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.content, Content::metrics);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
}

TEST_F(RoutesTest, ErrorsAreJson) {
  const auto missing = ask("GET", "/nothing");
  EXPECT_EQ(missing.status, 404U);
  EXPECT_EQ(missing.body, "{\"error\":{\"code\":\"not_found\",\"message\":\"there is nothing at this path\"}}\n");
  EXPECT_EQ(ask("POST", "/nothing").status, 404U);
  const auto method = ask("POST", "/metrics");
  EXPECT_EQ(method.status, 405U);
  EXPECT_EQ(field(method, "Allow"), "GET, HEAD");
  EXPECT_EQ(field(ask("POST", "/api/v1/chips/a"), "Allow"), "GET, HEAD, PUT, DELETE");
  EXPECT_EQ(method.content, Content::fixed);
  for (const auto* target : {"", "*", "/", "/metrics/", "/METRICS", "livez", "//livez"}) {
    EXPECT_EQ(ask("GET", target).status, 404U) << target;
  }
}

TEST_F(RoutesTest, KnowsItsOwnNamesWithAnyPort) {
  for (const auto* host : {"localhost", "LOCALHOST:9310", "127.0.0.1", "127.0.0.1:1", "127.8.8.8", "[::1]",
                           "[::1]:9310", "192.168.1.5:9310", "chipgate.INTERNAL"}) {
    EXPECT_EQ(status_for_host(host), 200U) << host;
  }
}

TEST_F(RoutesTest, RefusesNamesThatAPageCouldChoose) {
  for (const auto* host : {"evil.example", "localhost.evil.example", "evil.example:9310", "192.168.1.6", "", ":9310",
                           "[::1", "[]", "[::2]", "localhost:", "localhost:x", "localhost:99999", "127.0.0.1.nip.io",
                           "[localhost]x", "user@localhost", "localhost "}) {
    EXPECT_EQ(status_for_host(host), 421U) << host;
  }
  EXPECT_EQ(ask("GET", "/nothing", {"evil.example"}).status, 421U);
}

TEST_F(RoutesTest, WantsOneHostUnlessTheRequestIsOld) {
  EXPECT_EQ(ask("GET", "/livez", {}).status, 400U);
  EXPECT_EQ(ask("GET", "/livez", {"localhost", "localhost"}).status, 400U);
  Request old{.version = HttpVersion::http_1_0, .method = "GET", .target = "/livez", .hosts = {}, .local = {}};
  EXPECT_EQ(answer(old).status, 200U);
  old.hosts = {"evil.example"};
  EXPECT_EQ(answer(old).status, 421U);
  // A browser cannot be led to a Unix socket.
  old = {.method = "GET", .target = "/livez", .hosts = {}, .local = {}, .arrival = Arrival::unix_socket};
  EXPECT_EQ(answer(old).status, 200U);
}

TEST_F(RoutesTest, EverythingElseWantsTheToken) {
  for (const auto& route : routes()) {
    std::string path(route.path);
    if (const auto name = path.find('{'); name != std::string::npos) {
      path.replace(name, path.find('}') - name + 1, "203.0.113.99");
    }
    const bool is_open = route.path.find("/api/") == std::string_view::npos;
    for (const auto* presented : {"", "Bearer ", "Bearer wrong", "Basic correct-horse-battery-staple",
                                  "correct-horse-battery-staple", "Bearer correct-horse-battery-staple2"}) {
      authorization = presented;
      const auto response = ask(route.method, path);
      EXPECT_EQ(response.status, is_open ? 200U : 401U) << route.path << presented;
      EXPECT_EQ(field(response, "WWW-Authenticate").empty(), is_open);
      EXPECT_EQ(response.body.find("correct-horse"), std::string::npos);
    }
    for (const auto* presented : {"Bearer correct-horse-battery-staple", "bearer  correct-horse-battery-staple "}) {
      authorization = presented;
      EXPECT_NE(ask(route.method, path).status, 401U) << route.path;
    }
  }
  EXPECT_TRUE(world_.control.finished.empty());
}

TEST_F(RoutesTest, NobodyGetsInWhereThereIsNoToken) {
  world_.api.token = Secret();
  for (const auto* presented : {"", "Bearer", "Bearer "}) {
    authorization = presented;
    EXPECT_EQ(ask("GET", "/api/v1/chips").status, 401U);
  }
}

TEST_F(RoutesTest, RefusesAParameterThatItDoesNotKnow) {
  authorization = "Bearer correct-horse-battery-staple";
  const auto response = ask("GET", "/api/v1/chips?states=active");
  EXPECT_EQ(response.status, 400U);
  EXPECT_NE(response.body.find("\"unknown_parameter\""), std::string::npos);
  EXPECT_NE(response.body.find("\"field\":\"states\""), std::string::npos);
  EXPECT_EQ(ask("GET", "/api/v1/chips?state=%zz").status, 400U);
  EXPECT_EQ(ask("GET", "/api/v1/chips?state=%6").status, 400U);
  EXPECT_EQ(ask("GET", "/api/v1/chips?&&state=active&").status, 200U);
}

TEST_F(RoutesTest, AnswersOnlyWhatIsOpenWithoutAnApi) {
  const Router router({}, {world_.source, nullptr});
  const Request request{.method = "GET", .target = "/api/v1/chips", .hosts = {"localhost"}, .local = {}};
  EXPECT_EQ(std::get<Response>(router.admit(request)).status, 404U);
}

}  // namespace
}  // namespace chipgate::admin
