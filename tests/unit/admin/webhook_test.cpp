// The webhook against a receiver of the test's own.
#include "chipgate/admin/webhook.hpp"

#include "world.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <mutex>

namespace chipgate::admin {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using namespace std::chrono_literals;
using Received = http::request<http::string_body>;

// Answers one request after another with the statuses that it was given, then with 204; 0 closes without an answer.
class Receiver {
 public:
  explicit Receiver(std::vector<unsigned> statuses = {}) : statuses_(std::move(statuses)) {
    thread_ = std::thread([this] { run(); });
  }
  ~Receiver() {
    stopping_ = true;
    asio::io_context context;
    asio::ip::tcp::socket wake(context);
    boost::system::error_code ignored;
    wake.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }

  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/hook?x=1";
  }

  std::vector<Received> await(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 20s, [&] { return requests_.size() >= count; })) << requests_.size();
    return requests_;
  }

 private:
  void run() {
    while (true) {
      auto socket = acceptor_.accept();
      if (stopping_) return;
      boost::beast::flat_buffer buffer;
      Received request;
      boost::system::error_code error;
      http::read(socket, buffer, request, error);
      if (error) continue;
      unsigned status = 204;
      {
        const std::lock_guard lock(mutex_);
        if (requests_.size() < statuses_.size()) status = statuses_[requests_.size()];
        requests_.push_back(request);
      }
      if (status != 0) {
        http::response<http::empty_body> answer(http::int_to_status(status), 11);
        answer.prepare_payload();
        http::write(socket, answer, error);
      }
      changed_.notify_all();
    }
  }

  asio::io_context context_;
  asio::ip::tcp::acceptor acceptor_{context_, {asio::ip::address_v4::loopback(), 0}};
  const std::vector<unsigned> statuses_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Received> requests_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

class WebhookTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "chipgate-webhook-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    options_.secret = Secret("hook-secret");
    options_.position_file = (folder_ / "position").string();
    world_.start();
  }
  void TearDown() override {
    stop();
    world_.stop();
    std::filesystem::remove_all(folder_);
  }

  void start(const Receiver& receiver, WebhookTiming timing = {.first_retry = 5ms, .longest_retry = 20ms}) {
    options_.url = receiver.url();
    world_.run([&] {
      webhook_ = std::make_unique<Webhook>(world_.context, options_, world_.feed, resolver_, world_.log, timing);
    });
  }
  void stop() {
    world_.run([&] { webhook_.reset(); });
  }
  // Until the position is what it should be; the test's own time limit ends it otherwise.
  void await_position(const std::string& wanted) {
    std::string kept;
    while (kept != wanted) {
      std::this_thread::yield();
      std::ifstream file(options_.position_file);
      std::getline(file, kept);
    }
  }

  static std::vector<std::string> ids(const std::vector<Received>& requests) {
    std::vector<std::string> found;
    for (const auto& request : requests) found.emplace_back(request["X-Chipgate-Event-Id"]);
    return found;
  }

  std::filesystem::path folder_;
  WebhookOptions options_;
  net::SystemResolver resolver_;
  AdminWorld world_;
  std::unique_ptr<Webhook> webhook_;
};

TEST(WebhookUrl, IsHttpOrHttpsWithoutAUser) {
  const auto url = parse_webhook_url("https://Hooks.example.org/a?b=c").value();
  EXPECT_EQ(url.scheme, WebhookUrl::Scheme::https);
  EXPECT_EQ(url.host, "hooks.example.org");
  EXPECT_EQ(url.port, 443);
  EXPECT_EQ(url.path, "/a?b=c");
  EXPECT_EQ(parse_webhook_url("http://[::1]:8080?x")->path, "/?x");
  for (const auto* text : {"", "example.org", "ftp://example.org/", "http://", "http://user:pw@example.org/",
                           "http://example.org/a b", "http://example.org/#x", "http://example.org:0/"}) {
    EXPECT_FALSE(parse_webhook_url(text)) << text;
  }
}

TEST(WebhookSignature, IsTheHmacOfTimeAndBody) {
  // printf '1700000000.{}' | openssl dgst -sha256 -hmac key
  EXPECT_EQ(webhook_signature(Secret("key"), "1700000000", "{}"),
            "sha256=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae");
}

TEST_F(WebhookTest, PostsEventsInOrderAndSigned) {
  Receiver receiver;
  start(receiver);
  for (int id = 1; id <= 3; ++id) world_.happen(id);
  const auto requests = receiver.await(3);
  EXPECT_EQ(ids(requests), (std::vector<std::string>{"1", "2", "3"}));
  const auto& first = requests.front();
  EXPECT_EQ(first.method(), http::verb::post);
  EXPECT_EQ(first.target(), "/hook?x=1");
  EXPECT_EQ(first[http::field::content_type], "application/json");
  EXPECT_EQ(first["X-Chipgate-Event"], "chip.active");
  EXPECT_EQ(first.body(),
            "{\"id\":1,\"at\":\"2026-01-02T03:04:05.000Z\",\"type\":\"chip.active\",\"chip\":\"alpha\","
            "\"data\":{\"n\":1}}");
  EXPECT_EQ(first["X-Chipgate-Signature"],
            webhook_signature(options_.secret, std::string(first["X-Chipgate-Timestamp"]), first.body()));
  await_position("3");
}

TEST_F(WebhookTest, TriesAgainUntilItIsTakenAndHoldsUpWhatIsBehind) {
  Receiver receiver({500, 0, 302, 404, 200});
  start(receiver);
  world_.happen(1);
  world_.happen(2);
  EXPECT_EQ(ids(receiver.await(6)), (std::vector<std::string>{"1", "1", "1", "1", "1", "2"}));
}

TEST_F(WebhookTest, PassesOverWhatNobodyTakes) {
  Receiver receiver({500});
  start(receiver, {.first_retry = 5ms, .longest_retry = 5ms, .give_up = 1ms});
  world_.happen(1);
  await_position("1");
  world_.happen(2);
  const auto found = ids(receiver.await(2));
  EXPECT_EQ(found.front(), "1");
  EXPECT_EQ(found.back(), "2");
}

TEST_F(WebhookTest, PostsOnlyTheEventsThatAreAskedFor) {
  options_.events = {"chip.blocked", "gateway.*"};
  Receiver receiver;
  start(receiver);
  world_.happen(1, "chip.active");
  world_.happen(2, "chip.blocked");
  world_.happen(3, "gateway.down");
  world_.happen(4, "chip.blocked.long");
  EXPECT_EQ(ids(receiver.await(2)), (std::vector<std::string>{"2", "3"}));
  await_position("4");
}

TEST_F(WebhookTest, GoesOnBehindWhatWasDeliveredAfterARestart) {
  {
    Receiver receiver({200, 500});
    start(receiver, {.first_retry = 1min});
    world_.happen(1);
    world_.happen(2);
    receiver.await(2);
    stop();  // while it waits to try 2 again
  }
  world_.happen(3);
  Receiver receiver;
  start(receiver);
  EXPECT_EQ(ids(receiver.await(2)), (std::vector<std::string>{"2", "3"}));
}

TEST_F(WebhookTest, BeginsWithWhatHappensNext) {
  world_.happen(1);
  Receiver receiver;
  start(receiver);
  world_.happen(2);
  EXPECT_EQ(ids(receiver.await(1)), std::vector<std::string>{"2"});
}

TEST_F(WebhookTest, BearsALedgerThatDoesNotAnswer) {
  Receiver receiver;
  start(receiver);
  world_.run([&] { world_.ledger.works = false; });
  world_.happen(1);
  world_.run([&] { world_.ledger.works = true; });
  EXPECT_EQ(ids(receiver.await(1)), std::vector<std::string>{"1"});
}

TEST_F(WebhookTest, RefusesAUrlThatIsNone) {
  options_.url = "ftp://example.org/";
  EXPECT_THROW(Webhook(world_.context, options_, world_.feed, resolver_, world_.log), std::runtime_error);
}

}  // namespace
}  // namespace chipgate::admin
