// The admin server over real loopback sockets.
#include "chipgate/admin/server.hpp"

#include "http_client.hpp"
#include "world.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <thread>

namespace chipgate::admin {
namespace {

using namespace std::chrono_literals;

class ServerTest : public testing::Test {
 protected:
  void SetUp() override { world_.start(); }

  void stop() { world_.stop(); }
  void restart(const ServerLimits& limits) {
    stop();
    world_.start({}, limits);
  }

  Client connect() const { return Client(world_.port); }

  AdminWorld world_;
  asio::io_context& context_ = world_.context;
  FakeSource& source_ = world_.source;
  std::unique_ptr<Server>& server_ = world_.server;
};

std::string get(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n"; }

TEST_F(ServerTest, KeepsAConnectionForManyRequests) {
  auto client = connect();
  for (int i = 0; i < 3; ++i) {
    const auto response = client.send(get("/livez")).read();
    EXPECT_EQ(response.result_int(), 200U);
    EXPECT_EQ(response.body(), "ok\n");
    EXPECT_TRUE(response.keep_alive());
  }
  EXPECT_EQ(client.send(get("/readyz")).read().body(), "{\"ready\":true,\"checks\":{\"ports\":\"bound\"}}\n");
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  auto client = connect();
  client.send(get("/livez") + get("/nothing") + get("/metrics") + get("/readyz"));
  EXPECT_EQ(client.read().body(), "ok\n");
  EXPECT_EQ(client.read().result_int(), 404U);
  EXPECT_TRUE(client.read().body().starts_with("# HELP chipgate_tunnels_opened_total"));
  EXPECT_TRUE(client.read().body().starts_with("{\"ready\":true"));
}

TEST_F(ServerTest, HeadHasTheFieldsAndNoBody) {
  auto client = connect();
  const std::string host = " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const auto live = client.send("HEAD /livez" + host).read(http::verb::head);
  EXPECT_EQ(live[http::field::content_length], "3");
  const auto metrics = client.send("HEAD /metrics" + host).read(http::verb::head);
  EXPECT_TRUE(metrics.chunked());
  // Nothing was left over: the next answer is found where it should be.
  EXPECT_EQ(client.send(get("/livez")).read().body(), "ok\n");
}

TEST_F(ServerTest, MetricsComeInChunksOfOneFamily) {
  auto client = connect();
  const auto response = client.send(get("/metrics")).read();
  EXPECT_EQ(response.result_int(), 200U);
  EXPECT_TRUE(response.chunked());
  EXPECT_EQ(response[http::field::content_type], "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(response.body().find("chipgate_tunnels_open{chip=\"c1\"} 0\n"), std::string::npos);

  const auto raw =
      connect().send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").read_to_end();
  EXPECT_NE(raw.find("\r\n# HELP chipgate_chips "), std::string::npos);  // a chunk begins with its family
  EXPECT_TRUE(raw.ends_with("\r\n0\r\n\r\n"));
}

TEST_F(ServerTest, OtherWorkRunsBetweenTwoFamilies) {
  // chipgate_log_dropped_total is rendered after chipgate_gateway_endpoint_up.
  source_.on_endpoints = [this] { asio::post(context_, [this] { source_.dropped = 42; }); };
  const auto response = connect().send(get("/metrics")).read();
  EXPECT_NE(response.body().find("chipgate_log_dropped_total 42\n"), std::string::npos);
}

TEST_F(ServerTest, SendsMetricsWithoutChunksToOldClients) {
  const auto raw = connect().send("GET /metrics HTTP/1.0\r\n\r\n").read_to_end();
  EXPECT_EQ(raw.find("Transfer-Encoding"), std::string::npos);
  EXPECT_NE(raw.find("\r\n\r\n# HELP chipgate_tunnels_opened_total"), std::string::npos);
  EXPECT_NE(raw.find("process_start_time_seconds"), std::string::npos);
}

TEST_F(ServerTest, RefusesOtherMethodsAndReadsPastTheirBodies) {
  const std::string body(100'000, 'x');
  const auto raw =
      connect()
          .send("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + body.substr(0, 50'000))
          .read_to_end();
  EXPECT_TRUE(raw.starts_with("HTTP/1.1 405 ")) << raw;
  EXPECT_NE(raw.find("Allow: GET, HEAD\r\n"), std::string::npos);
  EXPECT_NE(raw.find("Connection: close\r\n"), std::string::npos);
  EXPECT_NE(raw.find("{\"error\":{\"code\":\"method_not_allowed\""), std::string::npos);
}

TEST_F(ServerTest, RefusesUnknownHosts) {
  auto client = connect();
  EXPECT_EQ(client.send("GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n").read().result_int(), 421U);
  EXPECT_EQ(client.send("GET /livez HTTP/1.1\r\nHost: admin.example:80\r\n\r\n").read().result_int(), 200U);
  EXPECT_EQ(client.send("GET /livez HTTP/1.1\r\n\r\n").read().result_int(), 400U);
}

TEST_F(ServerTest, RefusesAHeadThatIsTooLarge) {
  for (const std::size_t size : {17U * 1024, 200U * 1024}) {
    const auto raw =
        connect().send("GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(size, 'x')).read_to_end();
    EXPECT_TRUE(raw.starts_with("HTTP/1.1 431 ")) << size << raw;
  }
  const auto fits = "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(15U * 1024, 'x') + "\r\n\r\n";
  EXPECT_EQ(connect().send(fits).read().result_int(), 200U);
}

TEST_F(ServerTest, RefusesWhatIsNotHttp) {
  EXPECT_TRUE(connect().send("\x16\x03\x01\x02 hello\r\n\r\n").read_to_end().starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(connect().send("GET / HTTP/9.9\r\n\r\n").read_to_end().starts_with("HTTP/1.1 400 "));
}

TEST_F(ServerTest, ClosesAHeadThatIsTooSlow) {
  restart({.head_timeout = 50ms});
  EXPECT_EQ(connect().read_to_end(), "");
  EXPECT_EQ(connect().send("GET /livez HT").read_to_end(), "");
}

TEST_F(ServerTest, ClosesAnIdleConnection) {
  restart({.keep_alive = 500ms});
  auto client = connect();
  EXPECT_EQ(client.send(get("/livez")).read().body(), "ok\n");
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(ServerTest, ClosesTheOldestWaitingConnectionForANewOne) {
  restart({.connections = 2});
  auto oldest = connect();
  EXPECT_EQ(oldest.send(get("/livez")).read().body(), "ok\n");
  auto second = connect();
  EXPECT_EQ(second.send(get("/livez")).read().body(), "ok\n");
  EXPECT_EQ(oldest.send("").send(get("/livez")).read().body(), "ok\n");  // now `second` is the oldest
  auto third = connect();
  EXPECT_EQ(third.send(get("/livez")).read().body(), "ok\n");
  EXPECT_EQ(second.read_to_end(), "");
  EXPECT_EQ(oldest.send(get("/livez")).read().body(), "ok\n");
}

TEST_F(ServerTest, LetsGoOfAClientThatDoesNotReadItsAnswers) {
  restart({.write_timeout = 50ms});
  auto stuck = connect();
  std::string requests;
  for (int i = 0; i < 2'000; ++i) requests += get("/metrics");
  stuck.send(requests);  // returns when the server has closed: nobody reads the answers
  EXPECT_EQ(connect().send(get("/livez")).read().body(), "ok\n");
}

TEST_F(ServerTest, StopsInTheMidstOfAnAnswer) {
  std::promise<void> reached;
  source_.on_endpoints = [&] {
    server_->stop();
    reached.set_value();
  };
  auto client = connect();
  client.send(get("/metrics"));
  reached.get_future().wait();
  stop();
}

TEST_F(ServerTest, StopsWithClientsConnected) {
  auto idle = connect();
  auto half = connect();
  half.send("GET /li");
  EXPECT_EQ(connect().send(get("/livez")).read().body(), "ok\n");
  stop();
  EXPECT_EQ(idle.read_to_end(), "");
}

TEST(Server, SaysWhyItCannotBind) {
  asio::io_context context;
  const FakeSource source;
  const telemetry::Exposition exposition(source);
  telemetry::Log log({.path = {}}, std::make_unique<SilentSink>());
  const ServerSources sources{exposition, source, log};
  AdminOptions options;
  options.listen = SocketAddress{IpAddress::v4({203, 0, 113, 1}), 0};
  EXPECT_THROW(Server(context, options, sources), boost::system::system_error);
}

// Frames that still wait when their io_context goes must not touch the server that is gone.
TEST(Server, MayGoBeforeItsContextHasRun) {
  asio::io_context context;
  const FakeSource source;
  const telemetry::Exposition exposition(source);
  telemetry::Log log({.path = {}}, std::make_unique<SilentSink>());
  AdminOptions options;
  options.listen.port = 0;
  const ServerSources sources{exposition, source, log};
  Server(context, options, sources);
}

}  // namespace
}  // namespace chipgate::admin
