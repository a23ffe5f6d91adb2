// Answers to requests, without a socket.
#include "chipgate/admin/routes.hpp"

#include <gtest/gtest.h>
#include <string>

namespace chipgate::admin {
namespace {

class FixedReadiness : public ReadinessSource {
 public:
  Readiness readiness() const override { return current; }
  Readiness current{Ready::yes, {{"ports", "bound"}, {"gateway", "down"}}};
};

class RoutesTest : public testing::Test {
 protected:
  Response ask(std::string_view method, std::string_view target, std::vector<std::string_view> hosts = {"localhost"}) {
    return routes_.answer(
        {.method = method, .target = target, .hosts = std::move(hosts), .local = IpAddress::v4({192, 168, 1, 5})});
  }
  unsigned status_for_host(std::string_view host) { return ask("GET", "/livez", {host}).status; }

  FixedReadiness readiness_;
  Routes routes_{{"Chipgate.internal"}, readiness_};
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
  const auto ready = ask("GET", "/readyz");
  EXPECT_EQ(ready.status, 200U);
  EXPECT_EQ(ready.content_type, "application/json");
  EXPECT_EQ(ready.body, "{\"ready\":true,\"checks\":{\"ports\":\"bound\",\"gateway\":\"down\"}}\n");
  readiness_.current = {Ready::no, {{"draining", "yes \"\n"}}};
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
  EXPECT_EQ(method.allow, "GET, HEAD");
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
  EXPECT_EQ(routes_.answer(old).status, 200U);
  old.hosts = {"evil.example"};
  EXPECT_EQ(routes_.answer(old).status, 421U);
}

}  // namespace
}  // namespace chipgate::admin
