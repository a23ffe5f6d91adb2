// Answers end where their gateway meant them to, and a 2xx to CONNECT is never more than its head.
#include "chipgate/protocol/http_reader.hpp"
#include "http_feed.hpp"

#include <gtest/gtest.h>

namespace chipgate::protocol {
namespace {

TEST(ResponseReader, TakesEverySuccessToConnectAsTheTunnelsStart) {
  for (const auto* head : {
           "HTTP/1.1 200 Connection established\r\n\r\n",
           "HTTP/1.0 200 OK\r\n\r\n",
           "HTTP/1.1 200\r\n\r\n",
           "HTTP/1.0 200\r\nVia: x\r\n\r\n",
           "HTTP/1.1 200 \r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nx-brd-ip: r1234\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\ntransfer-encoding: chunked\r\nContent-Length: 6\r\n\r\n",
           "HTTP/1.1 204 No Content\r\n\r\n",
       }) {
    expect_end_at([] { return ResponseReader(ResponseTo::connect); }, std::string(head) + "\x16\x03\x03",
                  std::string_view(head).size());
    ResponseReader reader(ResponseTo::connect);
    ASSERT_TRUE(reader.take(head));
    EXPECT_EQ(reader.head().status / 100, 2U);
    EXPECT_FALSE(reader.body_until_eof());
    EXPECT_TRUE(reader.finish());
  }
}

TEST(ResponseReader, KeepsTheOtherFieldsOfASuccessToConnect) {
  ResponseReader reader(ResponseTo::connect);
  ASSERT_TRUE(reader.take("HTTP/1.1 200 OK\r\nX-Exit: a\r\nContent-Length: 9\r\nx-brd-ip: b\r\n\r\n"));
  EXPECT_EQ(reader.head().fields.find("x-exit"), "a");
  EXPECT_EQ(reader.head().fields.find("X-BRD-IP"), "b");
  EXPECT_FALSE(reader.head().fields.has("Content-Length"));
}

TEST(ResponseReader, ReadsARefusalOfConnectWithItsBody) {
  const std::string head = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 6\r\n\r\n";
  expect_end_at([] { return ResponseReader(ResponseTo::connect); }, head + "denied" + "x", head.size() + 6);
  for (const auto* status : {"400", "402", "403", "429", "452", "490", "502", "503", "504", "522", "525"}) {
    ResponseReader reader(ResponseTo::connect);
    const auto text = "HTTP/1.1 " + std::string(status) + "\r\nX-Error-Description: why\r\n\r\n";
    ASSERT_EQ(reader.take(text).value(), text.size()) << status;
    EXPECT_EQ(std::to_string(reader.head().status), status);
    EXPECT_EQ(reader.head().fields.find("x-error-description"), "why");
    EXPECT_TRUE(reader.body_until_eof());
  }
}

TEST(ResponseReader, KnowsWhichAnswersHaveNoBody) {
  for (const auto* head :
       {"HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
    expect_end_at([] { return ResponseReader(ResponseTo::other); }, std::string(head) + "hello",
                  std::string_view(head).size());
  }
  const std::string to_head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  expect_end_at([] { return ResponseReader(ResponseTo::head); }, to_head + "hello", to_head.size());
  const std::string chunked_to_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  expect_end_at([] { return ResponseReader(ResponseTo::head); }, chunked_to_head + "hello", chunked_to_head.size());
}

TEST(ResponseReader, FollowsLengthsAndChunks) {
  const std::string counted = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  expect_end_at([] { return ResponseReader(ResponseTo::other); }, counted + "HTTP", counted.size());
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n";
  expect_end_at([] { return ResponseReader(ResponseTo::other); }, chunked + "HTTP", chunked.size());
}

TEST(ResponseReader, ReadsABodyWithoutLengthToTheEnd) {
  ResponseReader reader(ResponseTo::other);
  const std::string head = "HTTP/1.0 200 OK\r\n\r\n";
  EXPECT_EQ(reader.take(head + "hello").value(), head.size());
  EXPECT_TRUE(reader.body_until_eof());
  const std::string block(10 << 20, 'x');
  EXPECT_EQ(reader.take(block).value(), block.size());
  EXPECT_FALSE(reader.complete());
  EXPECT_TRUE(reader.finish());
  EXPECT_TRUE(reader.complete());
}

TEST(ResponseReader, TellsAnEarlyEndOfTheGateway) {
  for (const std::string_view bytes : {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
                                       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"}) {
    for (std::size_t end = 0; end < bytes.size(); ++end) {
      ResponseReader reader(ResponseTo::other);
      ASSERT_TRUE(take_all(reader, bytes.substr(0, end)));
      EXPECT_EQ(reader.finish().error(), ErrorKind::gateway_closed) << end;
    }
  }
}

TEST(ResponseReader, RefusesGarbageWithItsFirstBytes) {
  for (const auto* bytes : {"SSH-2.0-OpenSSH_9.2\r\n", "<html>", "\x15\x03\x01", "H2", "HTTP/2 200\r\n", "HTTP/3",
                            "ICY 200 OK\r\n", " HTTP/1.1 200 OK", "\r\nHTTP/1.1 200 OK", "\x05\xff"}) {
    EXPECT_EQ(fault_of(ResponseReader(ResponseTo::connect), bytes), ErrorKind::gateway_garbled) << bytes;
  }
}

TEST(ResponseReader, RefusesGarbledHeads) {
  for (const auto* bytes :
       {"HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 O\x01K\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.9 200 OK\r\n\r\n", "HTTP/1.1 502 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n\r\n"}) {
    EXPECT_EQ(fault_of(ResponseReader(ResponseTo::other), bytes), ErrorKind::gateway_garbled) << bytes;
  }
  EXPECT_EQ(fault_of(ResponseReader(ResponseTo::connect), raw("HTTP/1.1 200 OK\r\nX: \0\r\n\r\n")),
            ErrorKind::gateway_garbled);
}

TEST(ResponseReader, BoundsTheHead) {
  EXPECT_EQ(fault_of(ResponseReader(ResponseTo::connect), "HTTP/1.1 200 " + std::string(largest_head, 'x')),
            ErrorKind::gateway_head_too_large);
}

TEST(ResponseReader, SurvivesNoise) {
  RandomBytes random(6);
  const std::string answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n1\r\n1\r\n0\r\nT: v\r\n\r\nHTTP";
  const std::string counted = "HTTP/1.1 502\r\nContent-Length: 12\r\n\r\nhello, world";
  for (int round = 0; round < 10'000; ++round) {
    feed_in_pieces(ResponseReader(ResponseTo::other), random.mutate(answer), random);
    feed_in_pieces(ResponseReader(ResponseTo::connect), random.mutate(counted), random);
    feed_in_pieces(ResponseReader(ResponseTo::other), "HTTP/1.1 " + random.next(64), random);
  }
}

}  // namespace
}  // namespace chipgate::protocol
