// The API over real sockets: bodies, clients that leave, events as they happen, the Unix socket.
#include "http_client.hpp"
#include "world.hpp"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <regex>
#include <sys/stat.h>
#include <thread>

namespace chipgate::admin {
namespace {

using namespace std::chrono_literals;

std::string head(const std::string& method, const std::string& path, const std::string& fields = {}) {
  return method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + test_token + "\r\n" + fields;
}
std::string request(const std::string& method, const std::string& path, const std::string& body = {}) {
  const auto type = body.empty() ? "" : "Content-Type: application/json\r\n";
  return head(method, path, type + ("Content-Length: " + std::to_string(body.size()) + "\r\n\r\n")) + body;
}

class ServingTest : public testing::Test {
 protected:
  void SetUp() override { world_.start(); }

  Client connect() const { return Client(world_.port); }
  std::vector<std::string> asked() {
    std::vector<std::string> copy;
    world_.run([&] { copy = world_.control.asked; });
    return copy;
  }
  // A stream of events that has begun.
  std::unique_ptr<Client> follow(const std::string& fields = {}, const std::string& query = {}) {
    auto client = std::make_unique<Client>(world_.port);
    client->send(head("GET", "/api/v1/events" + query, "Accept: text/event-stream\r\n" + fields + "\r\n"));
    EXPECT_NE(client->read_until("retry: 1000\n\n").find("Content-Type: text/event-stream"), std::string::npos);
    return client;
  }

  AdminWorld world_;
};

std::vector<int> ids_in(const std::string& text) {
  std::vector<int> ids;
  const std::regex line("\nid: ([0-9]+)\n|^id: ([0-9]+)\n");
  for (std::sregex_iterator match(text.begin(), text.end(), line), end; match != end; ++match) {
    ids.push_back(std::stoi((*match)[1].matched ? (*match)[1] : (*match)[2]));
  }
  return ids;
}

TEST_F(ServingTest, ReadsABodyAndKeepsTheConnection) {
  auto client = connect();
  EXPECT_EQ(client.send(request("PUT", "/api/v1/chips/new", R"({"port":20009})")).read().result_int(), 201U);
  EXPECT_EQ(client.send(request("PUT", "/api/v1/chips/new", R"({"port":20009})")).read().result_int(), 200U);
  const auto chunked = head("PUT", "/api/v1/chips/other",
                            "Content-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n") +
                       "c\r\n{\"port\":20008\r\n1\r\n}\r\n0\r\n\r\n";
  EXPECT_EQ(client.send(chunked).read().result_int(), 400U);  // the first chunk is a byte short of what it says
  auto fresh = connect();
  EXPECT_EQ(fresh.send(request("POST", "/api/v1/chips/alpha/actions/release")).read().result_int(), 200U);
}

TEST_F(ServingTest, ReadsAChunkedBody) {
  const auto chunked = head("PUT", "/api/v1/chips/other",
                            "Content-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n") +
                       "d\r\n{\"port\":20008\r\n1\r\n}\r\n0\r\n\r\n";
  EXPECT_EQ(connect().send(chunked).read().result_int(), 201U);
  EXPECT_EQ(asked().back(), "put other alias= port=20008 connect=1 quota=0/0");
}

TEST_F(ServingTest, SaysThatItWaitsForTheBody) {
  auto client = connect();
  client.send(head("PUT", "/api/v1/chips/new",
                   "Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
  client.read_until("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.send("{}").read().result_int(), 201U);
}

TEST_F(ServingTest, RefusesBodiesThatAreTooLargeOrNoJson) {
  const std::string large(65'537, ' ');
  EXPECT_EQ(connect().send(request("PUT", "/api/v1/chips/new", large)).read().result_int(), 413U);
  const auto chunked = head("PUT", "/api/v1/chips/new",
                            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n") +
                       large;
  EXPECT_EQ(connect().send(chunked).read().result_int(), 413U);
  const auto form = head("PUT", "/api/v1/chips/new", "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(connect().send(form).read().result_int(), 415U);
  EXPECT_EQ(connect().send(request("GET", "/api/v1/chips", "{}")).read().result_int(), 400U);
  EXPECT_TRUE(asked().empty());
}

TEST_F(ServingTest, AsksForTheTokenBeforeItReadsABody) {
  const auto raw = connect()
                       .send(
                           "PUT /api/v1/chips/new HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                           "Content-Length: 2\r\n\r\n")
                       .read_to_end();
  EXPECT_TRUE(raw.starts_with("HTTP/1.1 401 ")) << raw;
  EXPECT_NE(raw.find("WWW-Authenticate: Bearer"), std::string::npos);
}

TEST_F(ServingTest, NeverActsOnHalfABody) {
  {
    auto client = connect();
    client.send(head("POST", "/api/v1/chips/alpha/actions/release",
                     "Content-Type: application/json\r\nContent-Length: 30\r\n\r\n{}"));
  }
  world_.stop();  // the server has seen the end, or never will
  EXPECT_TRUE(world_.control.asked.empty());
}

TEST_F(ServingTest, FinishesWhatWasBegunThoughItsClientLeft) {
  world_.run([&] {
    world_.control.gate = std::make_shared<asio::steady_timer>(world_.context, asio::steady_timer::time_point::max());
  });
  {
    auto client = connect();
    client.send(request("POST", "/api/v1/chips/alpha/actions/connect"));
    while (asked().empty()) std::this_thread::yield();
  }
  EXPECT_EQ(connect().send(request("GET", "/livez")).read().body(), "ok\n");
  world_.run([&] { world_.control.gate->cancel(); });
  world_.stop();
  EXPECT_EQ(world_.control.finished, std::vector<std::string>{"connect alpha"});
}

TEST_F(ServingTest, StreamsEventsAsTheyHappen) {
  auto client = follow();
  world_.happen(1);
  world_.happen(2, "chip.released", "beta");
  const auto text = client->read_until("id: 2\nevent: chip.released\ndata: {\"id\":2,");
  EXPECT_NE(text.find("id: 1\nevent: chip.active\ndata: {\"id\":1,\"at\":\"2026-01-02T03:04:05.000Z\","
                      "\"type\":\"chip.active\",\"chip\":\"alpha\",\"data\":{\"n\":1}}\n\n"),
            std::string::npos)
      << text;
}

TEST_F(ServingTest, BeginsWithWhatHappensNext) {
  world_.run([&] { world_.ledger.event_rows.push_back({.id = 1, .at = {}, .type = "chip.active"}); });
  auto client = follow();
  world_.happen(2);
  EXPECT_EQ(ids_in(client->read_until("id: 2\n")), std::vector<int>{2});
}

TEST_F(ServingTest, ResumesWithoutAHoleOrADouble) {
  for (int id = 1; id <= 450; ++id) world_.happen(id);
  auto client = follow("Last-Event-ID: 3\r\n");
  world_.happen(451);
  const auto ids = ids_in(client->read_until("id: 451\n"));
  ASSERT_EQ(ids.size(), 448U);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], static_cast<int>(i) + 4);
  EXPECT_EQ(ids_in(follow("", "?after=449")->read_until("id: 451\n")), (std::vector<int>{450, 451}));
}

TEST_F(ServingTest, StreamsOneChipsEvents) {
  auto client = follow("", "?chip=beta");
  world_.happen(1);
  world_.happen(2, "chip.active", "beta");
  EXPECT_EQ(ids_in(client->read_until("id: 2\n")), std::vector<int>{2});
}

TEST_F(ServingTest, SaysThatASilentStreamLives) {
  world_.stop();
  world_.start({}, {.heartbeat = 20ms});
  auto client = follow();
  client->read_until(": still here\n\n");
  client->read_until(": still here\n\n");
}

TEST_F(ServingTest, SaysThatAStreamOfOneChipLivesWhileOthersHaveEvents) {
  world_.stop();
  world_.start({}, {.heartbeat = 50ms});
  auto client = follow("", "?chip=beta");
  for (int id = 1; id <= 40; ++id) {
    world_.happen(id);
    std::this_thread::sleep_for(5ms);
  }
  world_.happen(1'000, "chip.active", "beta");
  EXPECT_NE(client->read_until("id: 1000\n").find(": still here\n\n"), std::string::npos);
}

TEST_F(ServingTest, EndsAReaderThatDoesNotKeepUpAndLetsItResume) {
  world_.stop();
  world_.start({}, {.write_timeout = 50ms, .heartbeat = 10ms});
  world_.run([&] {
    for (int id = 1; id <= 4'000; ++id) {
      world_.ledger.event_rows.push_back({.id = id,
                                          .at = {},
                                          .type = "chip.active",
                                          .chip = chip_id("alpha"),
                                          .body = "{\"x\":\"" + std::string(4'000, 'x') + "\"}"});
    }
  });
  auto stuck = follow("", "?after=0");
  std::size_t streams = 1;
  while (streams > 0) {
    std::this_thread::yield();
    world_.run([&] { streams = world_.feed.readers(); });
  }
  auto client = follow("", "?after=3998");
  EXPECT_EQ(ids_in(client->read_until("id: 4000\n")), (std::vector<int>{3999, 4000}));
}

TEST_F(ServingTest, LetsOnlySoManyFollow) {
  world_.stop();
  world_.start({}, {.event_streams = 1});
  auto first = follow();
  const auto raw = connect().send(head("GET", "/api/v1/events", "Accept: text/event-stream\r\n\r\n")).read_to_end();
  EXPECT_TRUE(raw.starts_with("HTTP/1.1 429 ")) << raw;
}

TEST_F(ServingTest, EndsStreamsWhenItStopsOrTheLedgerFails) {
  auto failing = follow("Last-Event-ID: 0\r\n");
  world_.run([&] { world_.ledger.works = false; });
  world_.happen(1);
  EXPECT_TRUE(failing->read_to_end().ends_with("0\r\n\r\n"));
  world_.run([&] { world_.ledger.works = true; });
  auto going = follow();
  world_.stop();
  going->read_to_end();
}

class UnixSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/chipgate-admin-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    options_.unix_socket = folder_ / "admin.sock";
  }
  void TearDown() override {
    world_.stop();
    std::filesystem::remove_all(folder_);
  }

  std::filesystem::path folder_;
  AdminOptions options_;
  AdminWorld world_;
};

TEST_F(UnixSocketTest, AnswersItsOwnerAndGroupWhoeverTheyAskFor) {
  world_.start(options_);
  EXPECT_EQ(world_.port, 0);
  struct stat status{};
  ASSERT_EQ(::stat(options_.unix_socket.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660U);
  Client client(options_.unix_socket);
  EXPECT_EQ(client.send("GET /livez HTTP/1.1\r\nHost: anything\r\n\r\n").read().body(), "ok\n");
  EXPECT_EQ(client.send("GET /api/v1/chips HTTP/1.1\r\n\r\n").read().result_int(), 401U);
  EXPECT_EQ(client.send(request("GET", "/api/v1/chips")).read().result_int(), 200U);
  world_.stop();
  EXPECT_FALSE(std::filesystem::exists(options_.unix_socket));
}

TEST_F(UnixSocketTest, TakesThePlaceOfADeadOneOnly) {
  {
    asio::io_context context;
    asio::local::stream_protocol::acceptor left(context, asio::local::stream_protocol::endpoint(options_.unix_socket));
    EXPECT_THROW(world_.start(options_), boost::system::system_error);
  }
  world_.start(options_);
  EXPECT_EQ(Client(options_.unix_socket).send(request("GET", "/livez")).read().body(), "ok\n");
}

}  // namespace
}  // namespace chipgate::admin
