// Requests are understood in whatever pieces they come, and refused where two readers could differ.
#include "chipgate/protocol/authority.hpp"
#include "chipgate/protocol/http_reader.hpp"
#include "chipgate/protocol/http_rewrite.hpp"
#include "http_feed.hpp"

#include <gtest/gtest.h>

namespace chipgate::protocol {
namespace {

RequestHead request_of(std::string_view bytes) {
  RequestReader reader;
  EXPECT_EQ(take_all(reader, bytes).value(), bytes.size());
  EXPECT_TRUE(reader.head_complete());
  return reader.head();
}

TEST(RequestReader, UnderstandsEveryClientsConnectAndLeavesWhatFollows) {
  for (const auto& [client, bytes, target] : connects) {
    SCOPED_TRACE(client);
    const auto head = request_of(bytes);
    EXPECT_EQ(head.method, "CONNECT");
    EXPECT_EQ(head.target, target);
    const auto early = std::string(bytes) + raw("\x16\x03\x01\0\r\n\r\n");
    expect_end_at([] { return RequestReader(); }, early, bytes.size());
  }
}

TEST(RequestReader, FindsFieldsWithoutCase) {
  const auto head = request_of(connects[3].bytes);
  EXPECT_EQ(head.fields.find("Proxy-Authorization"), "Basic dXNlcjpwOnc=");
  EXPECT_EQ(head.fields.find("User-Agent"), std::nullopt);
  EXPECT_EQ(head.version, 11U);
  EXPECT_TRUE(has_token(head.fields, "Connection", "CLOSE"));
  EXPECT_FALSE(has_token(head.fields, "Connection", "clos"));
  EXPECT_EQ(request_of(connects[12].bytes).version, 10U);
}

TEST(RequestReader, FindsATokenInListsOverSeveralLines) {
  const auto head = request_of("GET / HTTP/1.1\r\nConnection: a , b\r\nX: y\r\nconnection:,c\r\n\r\n");
  for (const auto* token : {"a", "b", "c"}) EXPECT_TRUE(has_token(head.fields, "Connection", token)) << token;
  EXPECT_FALSE(has_token(head.fields, "X", "c"));
  EXPECT_EQ(head.fields.all("CONNECTION").size(), 2U);
}

TEST(RequestReader, ShowsTheHeadBeforeItTakesTheBody) {
  constexpr std::string_view head =
      "POST http://update.googleapis.com/service/update2 HTTP/1.1\r\nHost: update.googleapis.com\r\n"
      "Content-Length: 5\r\n\r\n";
  const auto bytes = std::string(head) + "helloGET";
  RequestReader reader;
  EXPECT_EQ(reader.take(bytes).value(), head.size());
  EXPECT_TRUE(reader.head_complete());
  EXPECT_FALSE(reader.complete());
  EXPECT_EQ(reader.take("helloGET").value(), 5U);
  EXPECT_TRUE(reader.complete());
  expect_end_at([] { return RequestReader(); }, bytes, head.size() + 5);
}

TEST(RequestReader, EndsWithTheHeadWhereNoBodyIsAnnounced) {
  for (const auto* bytes :
       {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "POST http://a/ HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "GET http://a/ HTTP/1.0\r\n\r\n"}) {
    expect_end_at([] { return RequestReader(); }, std::string(bytes) + "next", std::string_view(bytes).size());
  }
}

TEST(RequestReader, FollowsChunksExtensionsAndTrailers) {
  for (const auto* body :
       {"0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "1\r\na\r\n1\r\nb\r\nA\r\n0123456789\r\n000\r\n\r\n",
        "5;name=value;x=\"q\\\"\"\r\nhello\r\n0;last\r\n\r\n", "2\r\n\r\n\r\n0\r\nDigest: x\r\nY: z\r\n\r\n"}) {
    const auto message = std::string("POST http://a/ HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n") + body;
    expect_end_at([] { return RequestReader(); }, message + "GET http://b/", message.size());
  }
}

TEST(RequestReader, DoesNotLetTrailersIntoTheHead) {
  RequestReader reader;
  const auto bytes = std::string("POST http://a/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n");
  EXPECT_EQ(take_all(reader, bytes).value(), bytes.size());
  EXPECT_FALSE(reader.head().fields.has("X"));
}

TEST(RequestReader, HasNoLimitForBodies) {
  RequestReader reader;
  ASSERT_TRUE(reader.take("PUT http://a/ HTTP/1.1\r\nContent-Length: 100000000000\r\n\r\n"));
  const std::string block(1 << 20, 'x');
  for (int i = 0; i < 20; ++i) EXPECT_EQ(reader.take(block).value(), block.size());
}

TEST(RequestReader, RefusesWhatTwoReadersCouldReadInTwoWays) {
  for (const auto* fields : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
           "Content-Length: 5\r\nContent-Length: 6\r\n",
           "Content-Length: 5\r\ncontent-length: 5\r\n",
           "Content-Length: 5, 6\r\n",
           "Content-Length: 5, 5\r\n",
           "Content-Length: +5\r\n",
           "Content-Length: -1\r\n",
           "Content-Length: 0x5\r\n",
           "Content-Length: 5 5\r\n",
           "Content-Length:\r\n",
           "Content-Length: 99999999999999999999999\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked, identity\r\n",
           "Transfer-Encoding: identity\r\n",
           "Transfer-Encoding: xchunked\r\n",
           "Transfer-Encoding: gzip, chunked\r\n",
           "Transfer-Encoding:\r\n",
           "Host: a\r\nHost: b\r\n",
           "X: y\r\n folded\r\n",
           "X: y\r\n\tfolded\r\n",
           " X: y\r\n",
           "X : y\r\n",
           "Transfer-Encoding : chunked\r\n",
           "X\r\n",
           ": y\r\n",
           "X: a\rb\r\n",
           "X: a\nY: b\r\n",
           "X: a\r\r\n",
           "X\x01: y\r\n",
           "X: \x7f\r\n",
           "X(): y\r\n",
           "Connection: close;\r\n",
       }) {
    const auto bytes = std::string("POST http://a/ HTTP/1.1\r\n") + fields + "\r\n";
    EXPECT_EQ(fault_of(RequestReader(), bytes), ErrorKind::malformed_request) << fields;
  }
  EXPECT_EQ(fault_of(RequestReader(), raw("GET http://a/ HTTP/1.1\r\nX: a\0b\r\n\r\n")), ErrorKind::malformed_request);
  EXPECT_EQ(fault_of(RequestReader(), "POST http://a/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            ErrorKind::malformed_request);
}

TEST(RequestReader, RefusesAConnectWithABody) {
  EXPECT_EQ(fault_of(RequestReader(), "CONNECT a:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\n"),
            ErrorKind::malformed_request);
  EXPECT_EQ(fault_of(RequestReader(), "CONNECT a:443 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"),
            ErrorKind::malformed_request);
}

TEST(RequestReader, KeepsWhatItRefused) {
  const std::string whole = "CONNECT a:443 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
  RequestReader reader;
  ASSERT_TRUE(reader.take(whole.substr(0, 10)));
  EXPECT_EQ(reader.refused_head(), "");
  ASSERT_FALSE(reader.take(whole.substr(10)));
  EXPECT_EQ(reader.refused_head(), whole);
  RequestReader broken;
  ASSERT_FALSE(broken.take("CONNECT a:443 HTTP/1.1\r\nX: \x01\r\n\r\n"));
  EXPECT_EQ(broken.refused_head(), "CONNECT a:443 HTTP/1.1\r\nX: ");
}

TEST(RequestReader, RefusesWhatIsNotARequest) {
  for (const auto* bytes :
       {"\r\nGET / HTTP/1.1\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.2\r\n\r\n", "GET / HTTP/0.9\r\n\r\n",
        "GET /\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n", "GET / http/1.1\r\n\r\n",
        "G(T / HTTP/1.1\r\n\r\n", "GET /a b HTTP/1.1\r\n\r\n", "GET\t/ HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\n\n",
        "GET / HTTP/1.1\nHost: a\n\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", " GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01"}) {
    EXPECT_EQ(fault_of(RequestReader(), bytes), ErrorKind::malformed_request) << bytes;
  }
}

std::string chunked(const std::string& body) {
  return "POST http://a/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

TEST(RequestReader, RefusesBrokenChunks) {
  for (const auto* body :
       {"x\r\n\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\nhelloX0\r\n\r\n", "-1\r\n\r\n\r\n", "10000000000000000\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "0\r\nContent-Length: 5\r\n\r\n",
        "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nX\r\n\r\n"}) {
    EXPECT_EQ(fault_of(RequestReader(), chunked(body)), ErrorKind::malformed_request) << body;
  }
}

// Another parser may see a line's end within quotes, and another field in a folded line.
TEST(RequestReader, RefusesInChunkHeadersAndTrailersWhatNoHeadMayContain) {
  for (const auto& body :
       {raw("5;x=\"a\nb\"\r\nhello\r\n0\r\n\r\n"), raw("5;x=\"a\0b\"\r\nhello\r\n0\r\n\r\n"),
        raw("5;x=\"a\x7f\"\r\nhello\r\n0\r\n\r\n"), raw("0;x=\"\n\"\r\n\r\n"), raw("0\r\nX: a\r\n b\r\n\r\n"),
        raw("0\r\nX: a\r\n\tb\r\n\r\n"), raw("0\r\nX: a\r\n \r\n\r\n"), raw("5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n")}) {
    EXPECT_EQ(fault_of(RequestReader(), chunked(body)), ErrorKind::malformed_request) << body;
  }
  for (const auto* body : {"6;x=\"a\tb\"\r\na\r\n bc\r\n0\r\nX: a\tb\r\n\r\n", "0;x\r\nX: a b\r\nY: c\r\n\r\n"}) {
    RequestReader reader;
    EXPECT_TRUE(take_all(reader, chunked(body))) << body;
  }
}

TEST(RequestReader, BoundsChunkHeadersAndTrailers) {
  RequestReader reader;
  ASSERT_TRUE(reader.take("POST http://a/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"));
  EXPECT_TRUE(reader.take("5;" + std::string(1000, 'x')));
  EXPECT_EQ(reader.take(std::string(largest_head, 'x')).error(), ErrorKind::malformed_request);
}

TEST(RequestReader, TakesAHeadOf16KiBAndNotAByteMore) {
  const std::string start = "GET http://a/ HTTP/1.1\r\nX: ";
  const auto head_of = [&](std::size_t size) { return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n"; };
  EXPECT_EQ(request_of(head_of(largest_head)).fields.size(), 1U);
  EXPECT_EQ(fault_of(RequestReader(), head_of(largest_head + 1)), ErrorKind::head_too_large);
  EXPECT_EQ(fault_of(RequestReader(), std::string(1 << 20, 'G')), ErrorKind::head_too_large);
}

TEST(RequestReader, TellsAnEarlyEndFromACompleteRequest) {
  const std::string bytes = "POST http://a/ HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi";
  for (std::size_t end = 0; end < bytes.size(); ++end) {
    RequestReader reader;
    ASSERT_TRUE(take_all(reader, std::string_view(bytes).substr(0, end)));
    EXPECT_FALSE(reader.complete()) << end;
  }
  RequestReader reader;
  ASSERT_TRUE(take_all(reader, bytes));
  EXPECT_TRUE(reader.complete());
}

TEST(RequestReader, ReadsTheAbsoluteFormsThatClientsSend) {
  const auto old_axios = request_of(
      "GET https://mmg.whatsapp.net/v/t HTTP/1.1\r\nHost: mmg.whatsapp.net\r\nUser-Agent: axios/1.6.0\r\n\r\n");
  EXPECT_EQ(requested_url(old_axios).error(), ErrorKind::cleartext_https);
  EXPECT_EQ(requested_url(old_axios).error().detail, "mmg.whatsapp.net:443");
  const auto misused_agent = request_of(
      "GET http://web.whatsapp.com:443/ws/chat HTTP/1.1\r\nHost: web.whatsapp.com:443\r\nConnection: Upgrade\r\n"
      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  EXPECT_EQ(requested_url(misused_agent).error(), ErrorKind::cleartext_upgrade);
  EXPECT_EQ(requested_url(misused_agent).error().detail, "web.whatsapp.com:443");
  const auto misused_for_media = request_of(
      "POST http://mmg.whatsapp.net:443/mms/image HTTP/1.1\r\nHost: mmg.whatsapp.net:443\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(requested_url(misused_for_media).error(), ErrorKind::cleartext_https);
  EXPECT_EQ(requested_url(misused_for_media).error().detail, "mmg.whatsapp.net:443");
  const auto websocket_without_an_agent = request_of(
      "GET https://web.whatsapp.com/ws/chat HTTP/1.1\r\nHost: web.whatsapp.com\r\nConnection: Upgrade\r\n"
      "Upgrade: websocket\r\n\r\n");
  EXPECT_EQ(requested_url(websocket_without_an_agent).error(), ErrorKind::cleartext_upgrade);
  EXPECT_EQ(requested_url(websocket_without_an_agent).error().detail, "web.whatsapp.com:443");
  const auto chromium = request_of(
      "GET http://clients2.google.com/time/1/current?cup2key=8:x HTTP/1.1\r\nHost: clients2.google.com\r\n"
      "Proxy-Connection: keep-alive\r\nUser-Agent: Mozilla/5.0\r\nAccept-Encoding: gzip, deflate\r\n\r\n");
  EXPECT_EQ(requested_url(chromium)->path_and_query, "/time/1/current?cup2key=8:x");
  const auto metrics = request_of("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:20001\r\n\r\n");
  EXPECT_EQ(parse_absolute_url(metrics.target).error(), ErrorKind::not_a_proxy_request);
}

// curl offers HTTP/2 this way, and takes an answer in HTTP/1.1.
TEST(RequestReader, LeavesOtherUpgradesToBeStripped) {
  EXPECT_TRUE(
      requested_url(request_of("GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                               "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")));
  EXPECT_TRUE(requested_url(request_of("GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\n\r\n")));
}

TEST(RequestReader, SurvivesNoise) {
  RandomBytes random(2);
  const std::string post =
      "POST http://a/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4;x=\"y\"\r\nwiki\r\n0\r\nT: "
      "v\r\n\r\nGET";
  for (int round = 0; round < 10'000; ++round) {
    feed_in_pieces(RequestReader(), random.mutate(post), random);
    feed_in_pieces(RequestReader(), random.mutate(std::string(connects[random.below(connects.size())].bytes)), random);
    feed_in_pieces(RequestReader(), random.next(64), random);
  }
}

}  // namespace
}  // namespace chipgate::protocol
