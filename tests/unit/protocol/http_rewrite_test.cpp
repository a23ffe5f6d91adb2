// What leaves chipgate names nothing of the hop that it came by.
#include "chipgate/protocol/http_rewrite.hpp"

#include "chipgate/protocol/http_reader.hpp"

#include <gtest/gtest.h>

namespace chipgate::protocol {
namespace {

RequestHead request(std::string_view bytes) {
  RequestReader reader;
  EXPECT_TRUE(reader.take(bytes)) << bytes;
  EXPECT_TRUE(reader.head_complete()) << bytes;
  return reader.head();
}

ResponseHead response(std::string_view bytes) {
  ResponseReader reader(ResponseTo::other);
  EXPECT_TRUE(reader.take(bytes)) << bytes;
  EXPECT_TRUE(reader.head_complete()) << bytes;
  return reader.head();
}

std::string forward(std::string_view bytes, TargetForm form = TargetForm::absolute, std::string_view line = {}) {
  const auto head = request(bytes);
  return std::string(forward_request_head(head, parse_absolute_url(head.target).value(), form, line).reveal());
}

TEST(ForwardRequest, KeepsTheAbsoluteFormForAGatewayAndAddsItsCredentials) {
  EXPECT_EQ(forward("GET http://clients2.google.com/time?x=1 HTTP/1.1\r\nHost: clients2.google.com\r\n"
                    "Proxy-Connection: keep-alive\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n",
                    TargetForm::absolute, "Proxy-Authorization: Basic QQ==\r\n"),
            "GET http://clients2.google.com/time?x=1 HTTP/1.1\r\nHost: clients2.google.com\r\n"
            "Proxy-Authorization: Basic QQ==\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n");
}

TEST(ForwardRequest, WritesTheOriginFormInsideATunnel) {
  EXPECT_EQ(forward("GET http://example.test:8080 HTTP/1.1\r\n\r\n", TargetForm::origin),
            "GET / HTTP/1.1\r\nHost: example.test:8080\r\n\r\n");
}

TEST(ForwardRequest, PromisesNoMoreThanItsClientUnderstands) {
  EXPECT_EQ(forward("GET http://a.test/ HTTP/1.0\r\n\r\n"), "GET http://a.test/ HTTP/1.0\r\nHost: a.test\r\n\r\n");
}

TEST(ForwardRequest, TakesTheHostFromTheUrlWhateverTheFieldSays) {
  EXPECT_EQ(forward("GET http://[2001:db8::1]:80/ HTTP/1.1\r\nhost: evil.test\r\n\r\n"),
            "GET http://[2001:db8::1]/ HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n");
}

TEST(ForwardRequest, AsksForAWholeServersOptionsAsTheServerExpects) {
  const std::string_view bare = "OPTIONS http://a.test HTTP/1.1\r\n\r\n";
  EXPECT_EQ(forward(bare, TargetForm::origin), "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n");
  EXPECT_EQ(forward(bare, TargetForm::absolute), "OPTIONS http://a.test HTTP/1.1\r\nHost: a.test\r\n\r\n");
  EXPECT_EQ(forward("OPTIONS http://a.test/ HTTP/1.1\r\n\r\n", TargetForm::origin),
            "OPTIONS / HTTP/1.1\r\nHost: a.test\r\n\r\n");
}

TEST(ForwardRequest, CountsTheHopsOfOptions) {
  const auto of = [](const std::string& method, const std::string& count) {
    return forward(method + " http://a.test/x HTTP/1.1\r\nMax-Forwards: " + count + "\r\n\r\n");
  };
  EXPECT_NE(of("OPTIONS", "10").find("\r\nMax-Forwards: 9\r\n"), std::string::npos);
  EXPECT_NE(of("OPTIONS", "many").find("\r\nMax-Forwards: many\r\n"), std::string::npos);
  EXPECT_NE(of("GET", "10").find("\r\nMax-Forwards: 10\r\n"), std::string::npos);
}

TEST(LastHop, IsWhereOptionsMayGoNoFurther) {
  EXPECT_TRUE(is_last_hop(request("OPTIONS http://a.test/ HTTP/1.1\r\nMax-Forwards: 0\r\n\r\n")));
  EXPECT_FALSE(is_last_hop(request("OPTIONS http://a.test/ HTTP/1.1\r\nMax-Forwards: 1\r\n\r\n")));
  EXPECT_FALSE(is_last_hop(request("OPTIONS http://a.test/ HTTP/1.1\r\n\r\n")));
  EXPECT_FALSE(is_last_hop(request("GET http://a.test/ HTTP/1.1\r\nMax-Forwards: 0\r\n\r\n")));
}

TEST(ForwardRequest, DropsTheClientsHop) {
  EXPECT_EQ(forward("GET http://a.test/ HTTP/1.1\r\nConnection: Upgrade, X-Mine\r\nConnection: keep-alive\r\nUpgrade: "
                    "websocket\r\n"
                    "x-mine: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: Basic "
                    "c2VjcmV0\r\nProxy-Authenticate: x\r\n"
                    "proxy-connection: close\r\nX-Kept: 2\r\n\r\n"),
            "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nX-Kept: 2\r\n\r\n");
}

TEST(ForwardRequest, KeepsTheBodysFramingEvenWhereConnectionNamesIt) {
  EXPECT_EQ(forward("POST http://a.test/ HTTP/1.1\r\nConnection: Content-Length, Host\r\nContent-Length: 5\r\n\r\n"),
            "POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(forward("POST http://a.test/ HTTP/1.1\r\nConnection: Transfer-Encoding, Trailer\r\n"
                    "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"),
            "POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n");
}

TEST(ForwardResponse, SaysWhetherTheClientsConnectionStays) {
  const auto head = response(
      "HTTP/1.0 200 Fine\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
      "Proxy-Authenticate: Basic\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(forward_response_head(head, KeepAlive::yes),
            "HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(forward_response_head(head, KeepAlive::no),
            "HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
}

TEST(ForwardResponse, LeavesTheConnectionOutOfA1xx) {
  EXPECT_EQ(forward_response_head(response("HTTP/1.1 100 Continue\r\n\r\n"), KeepAlive::no),
            "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST(ForwardResponse, CanBeReadAgainWithoutAReason) {
  const auto text = forward_response_head(response("HTTP/1.1 404\r\n\r\n"), KeepAlive::no);
  EXPECT_EQ(text, "HTTP/1.1 404 \r\nConnection: close\r\n\r\n");
  EXPECT_EQ(response(text).status, 404U);
}

TEST(KeepAlive, FollowsTheVersionAndWhatTheClientSays) {
  const auto of = [](const std::string& version, const std::string& field) {
    return keep_alive(request("GET http://a/ HTTP/" + version + "\r\n" + field + "\r\n"));
  };
  EXPECT_EQ(of("1.1", ""), KeepAlive::yes);
  EXPECT_EQ(of("1.1", "Connection: close\r\n"), KeepAlive::no);
  EXPECT_EQ(of("1.1", "Proxy-Connection: Close\r\n"), KeepAlive::no);
  EXPECT_EQ(of("1.1", "Connection: close\r\nProxy-Connection: keep-alive\r\n"), KeepAlive::no);
  EXPECT_EQ(of("1.1", "Connection: upgrade\r\n"), KeepAlive::yes);
  EXPECT_EQ(of("1.0", ""), KeepAlive::no);
  EXPECT_EQ(of("1.0", "Connection: Keep-Alive\r\n"), KeepAlive::yes);
  EXPECT_EQ(of("1.0", "Proxy-Connection: keep-alive\r\n"), KeepAlive::yes);
}

TEST(ConnectRequest, HoldsNothingButTheTargetAndTheCredentials) {
  EXPECT_EQ(
      connect_request({"web.whatsapp.com", 443}, "Proxy-Authorization: Basic QQ==\r\n").reveal(),
      "CONNECT web.whatsapp.com:443 HTTP/1.1\r\nHost: web.whatsapp.com:443\r\nProxy-Authorization: Basic QQ==\r\n\r\n");
  EXPECT_EQ(connect_request({"2001:db8::1", 443}, "").reveal(),
            "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n");
}

}  // namespace
}  // namespace chipgate::protocol
