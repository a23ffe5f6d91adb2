// Keeping addresses fresh, with a resolver that answers when the test wants it to.
#include "chipgate/gateway/names.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <utility>
#include <vector>

namespace chipgate::gateway {
namespace {

using namespace std::chrono_literals;

class FakeResolver final : public net::Resolver {
 public:
  void resolve(std::string host, Callback done) override {
    ++asked[host];
    waiting.emplace_back(std::move(host), std::move(done));
  }
  void answer(const Answer& answer) {
    for (auto& [host, done] : std::exchange(waiting, {})) done(answer);
  }

  std::map<std::string, int> asked;
  std::vector<std::pair<std::string, Callback>> waiting;
};

class NamesTest : public testing::Test {
 protected:
  Names& names(std::vector<EndpointOptions> endpoints, Milliseconds refresh) {
    GatewayOptions options;
    options.endpoints = std::move(endpoints);
    options.resolve_every = refresh;
    names_.emplace(control_, resolver_, options, [this](EndpointIndex index, const net::Resolver::Answer& answer) {
      published_.emplace_back(index.value(), answer.has_value());
    });
    return *names_;
  }
  bool until(const std::function<bool()>& condition) {
    const auto end = Clock::now() + 10s;
    while (!condition() && Clock::now() < end) {
      control_.restart();
      control_.run_one_for(5ms);
    }
    return condition();
  }

  const net::Resolver::Answer good_ = std::vector{*IpAddress::parse("192.0.2.1")};
  const net::Resolver::Answer bad_ = Error{ErrorKind::gateway_unresolved};
  boost::asio::io_context control_{1};
  FakeResolver resolver_;
  std::vector<std::pair<std::uint32_t, bool>> published_;
  std::optional<Names> names_;
};

TEST_F(NamesTest, EveryEndpointIsAskedForAndPublishedUnderItsPlace) {
  names({{EndpointKind::http, "a.test", 1}, {EndpointKind::http, "b.test", 2}}, 1h).start();
  EXPECT_EQ(resolver_.waiting.size(), 2U);
  resolver_.answer(good_);
  EXPECT_TRUE(published_.empty()) << "answers come on any thread, and are posted";
  ASSERT_TRUE(until([&] { return published_.size() == 2; }));
  EXPECT_EQ(published_, (std::vector<std::pair<std::uint32_t, bool>>{{0, true}, {1, true}}));
}

TEST_F(NamesTest, NamesAreAskedForAgainAndAddressesAreNot) {
  names({{EndpointKind::http, "a.test", 1}, {EndpointKind::http, "192.0.2.1", 2}}, 10ms).start();
  ASSERT_TRUE(until([&] {
    resolver_.answer(good_);
    return resolver_.asked["a.test"] >= 4;
  }));
  EXPECT_EQ(resolver_.asked["192.0.2.1"], 1);
}

TEST_F(NamesTest, AQuestionIsNotAskedTwiceAtATime) {
  names({{EndpointKind::http, "a.test", 1}}, 5ms).start();
  for (int i = 0; i < 20; ++i) {
    control_.restart();
    control_.run_for(2ms);
  }
  EXPECT_EQ(resolver_.asked["a.test"], 1);
}

TEST_F(NamesTest, AFailureIsPublishedAndTriedAgainSooner) {
  names({{EndpointKind::http, "a.test", 1}}, 1h).start();
  resolver_.answer(bad_);
  ASSERT_TRUE(until([&] { return published_.size() == 1; }));
  EXPECT_FALSE(published_.front().second);
  ASSERT_TRUE(until([&] { return resolver_.asked["a.test"] == 2; })) << "after a second, not after an hour";
}

TEST_F(NamesTest, NothingIsPublishedOrAskedAfterTheStop) {
  auto& stopped = names({{EndpointKind::http, "a.test", 1}}, 5ms);
  stopped.start();
  resolver_.answer(good_);
  ASSERT_TRUE(until([&] { return resolver_.asked["a.test"] == 2; }));
  stopped.stop();
  const auto before = published_.size();
  resolver_.answer(good_);
  control_.restart();
  control_.run_for(30ms);
  EXPECT_EQ(published_.size(), before);
  EXPECT_EQ(resolver_.asked["a.test"], 2);
  control_.restart();
  EXPECT_EQ(control_.run(), 0U) << "no timer is left";
}

}  // namespace
}  // namespace chipgate::gateway
