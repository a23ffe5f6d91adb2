// Names to addresses without holding anybody up.
#include "chipgate/net/resolver.hpp"

#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <thread>

namespace chipgate::net {
namespace {

Resolver::Answer ask(Resolver& resolver, const std::string& host) {
  std::promise<Resolver::Answer> promise;
  resolver.resolve(host, [&](Resolver::Answer answer) { promise.set_value(std::move(answer)); });
  return promise.get_future().get();
}

TEST(Resolver, AnAddressIsAnsweredAtOnceAndOnTheAskersThread) {
  SystemResolver resolver;
  for (const std::string text : {"192.0.2.1", "2001:db8::1"}) {
    std::thread::id answered_on;
    std::vector<IpAddress> addresses;
    resolver.resolve(text, [&](Resolver::Answer answer) {
      answered_on = std::this_thread::get_id();
      addresses = *answer;
    });
    EXPECT_EQ(answered_on, std::this_thread::get_id());
    EXPECT_EQ(addresses, std::vector{*IpAddress::parse(text)});
  }
}

TEST(Resolver, ANameIsLookedUpElsewhere) {
  SystemResolver resolver;
  const auto answer = ask(resolver, "localhost");
  ASSERT_TRUE(answer.has_value()) << answer.error().detail;
  for (const auto& address : *answer) EXPECT_TRUE(address.is_loopback());
}

// Refused by the C library itself, so that no name server is asked.
TEST(Resolver, ANameThatDoesNotExistIsAnErrorWithTheName) {
  SystemResolver resolver;
  const auto answer = ask(resolver, "a name with spaces is no name");
  ASSERT_TRUE(answer.has_error());
  EXPECT_EQ(answer.error().kind, ErrorKind::gateway_unresolved);
  EXPECT_NE(answer.error().detail.find("a name with spaces"), std::string::npos);
}

TEST(Resolver, ManyQuestionsAreAllAnswered) {
  SystemResolver resolver;
  std::atomic<int> answers{0};
  std::promise<void> all;
  for (int i = 0; i < 50; ++i) {
    resolver.resolve("localhost", [&](const Resolver::Answer&) {
      if (++answers == 50) all.set_value();
    });
  }
  all.get_future().get();
  EXPECT_EQ(answers, 50);
}

// More than can be answered before it ends.
TEST(Resolver, EndsWithQuestionsStillQueuedAndCallsNobodyBackAfterwards) {
  struct Calls {
    std::atomic<int> all{0};
    std::atomic<int> late{0};
    std::atomic<bool> ended{false};
  };
  constexpr int questions = 20'000;
  const auto calls = std::make_shared<Calls>();
  {
    SystemResolver resolver;
    for (int i = 0; i < questions; ++i) {
      resolver.resolve("localhost", [calls](const Resolver::Answer&) {
        ++calls->all;
        if (calls->ended) ++calls->late;
      });
    }
  }
  calls->ended = true;
  EXPECT_LT(calls->all, questions);
  // As long as a lookup takes that was under way.
  SystemResolver another;
  for (int i = 0; i < 50; ++i) ask(another, "localhost");
  EXPECT_EQ(calls->late, 0);
}

}  // namespace
}  // namespace chipgate::net
