// Giving sessions and moving chips, over a data plane that only remembers what it was asked.
#include "chipgate/lifecycle/assignments.hpp"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chipgate::lifecycle {
namespace {

using gateway::EndpointNews;

class KeptLines final : public telemetry::LineSink {
 public:
  explicit KeptLines(std::vector<std::string>& lines) : lines_(lines) {}
  telemetry::Written write(std::string_view line) override {
    lines_.emplace_back(line);
    return telemetry::Written::whole;
  }

 private:
  std::vector<std::string>& lines_;
};

class FakePlane final : public DataPlane {
 public:
  struct Fence {
    ChipIndex chip;
    Epoch next;
    std::function<void()> done;
  };

  Result<std::uint16_t> listen(ChipIndex, const ChipId&, std::uint16_t port) override { return port; }
  void close(ChipIndex, std::function<void()> done) override { done(); }
  void look(ChipIndex, gateway::RoutePtr, protocol::HttpUrl, Milliseconds, std::function<void(Looked)>) override {}
  Usage usage(ChipIndex) const override { return {}; }
  void tunnels(std::function<void(std::vector<TunnelView>)> done) override { done({}); }
  void cut(TunnelId, std::function<void(bool)> done) override { done(false); }
  void crowds(std::function<void(std::vector<Crowd>)> done) override { done({}); }
  void open(ChipIndex chip, gateway::RoutePtr route) override {
    calls.push_back("open " + std::to_string(chip.value()));
    opened.emplace_back(chip, std::move(route));
  }
  void fence(ChipIndex chip, Epoch next, ErrorKind, std::function<void()> done) override {
    calls.push_back("fence " + std::to_string(chip.value()));
    fences.push_back({chip, next, std::move(done)});
  }
  void refuse(ChipIndex chip, const Error&) override { calls.push_back("refuse " + std::to_string(chip.value())); }

  const gateway::Route& last() const { return *opened.back().second; }

  std::vector<std::string> calls;
  std::vector<std::pair<ChipIndex, gateway::RoutePtr>> opened;
  std::vector<Fence> fences;
};

class AssignmentsTest : public testing::Test {
 protected:
  static provider::Provider provider() {
    provider::ProviderOptions options;
    options.username = "user";
    options.password = Secret("pass");
    return provider::Provider::make(std::move(options)).value();
  }
  ChipIndex add(const std::string& id) { return assignments_.add(*ChipId::parse(id)); }
  void down(std::uint32_t endpoint) { assignments_.endpoint_news(EndpointIndex(endpoint), EndpointNews::unreachable); }
  void recover(std::uint32_t endpoint) { assignments_.endpoint_news(EndpointIndex(endpoint), EndpointNews::reachable); }

  std::vector<std::string> lines_;
  provider::Provider provider_ = provider();
  FakePlane plane_;
  std::uint64_t random_ = 1;
  std::optional<telemetry::Log> log_{std::in_place, telemetry::LogOptions{}, std::make_unique<KeptLines>(lines_)};
  Assignments assignments_{
      provider_, {"http://a:1", "http://b:1"}, plane_, *log_, [this] { return random_ += 12'345; }};
};

TEST_F(AssignmentsTest, EveryChipGetsASessionOfItsOwnOnTheFirstEndpoint) {
  add("alpha");
  add("beta");
  assignments_.assign_all();
  ASSERT_EQ(plane_.opened.size(), 2U);
  EXPECT_EQ(assignments_.active(), 2U);
  EXPECT_TRUE(plane_.opened[0].second->session.value().starts_with("chip-alpha-"));
  EXPECT_TRUE(plane_.opened[1].second->session.value().starts_with("chip-beta-"));
  EXPECT_EQ(plane_.last().endpoint, EndpointIndex(0));
  EXPECT_EQ(plane_.last().epoch, Epoch(1));
  EXPECT_FALSE(plane_.last().authorization_line.empty());
}

TEST_F(AssignmentsTest, ASessionIsNeverGivenTwice) {
  const auto chip = add("alpha");
  std::vector<std::string> sessions;
  for (int i = 0; i < 200; ++i) {
    assignments_.assign(chip);
    sessions.push_back(assignments_.session(chip).value());
  }
  std::ranges::sort(sessions);
  EXPECT_EQ(std::ranges::adjacent_find(sessions), sessions.end());
}

TEST_F(AssignmentsTest, AWaitingClientGetsAnAssignmentWhereThereIsNone) {
  const auto chip = add("alpha");
  assignments_.wanted(chip);
  EXPECT_EQ(plane_.opened.size(), 1U);
  assignments_.wanted(chip);
  EXPECT_EQ(plane_.opened.size(), 1U) << "it has one";
}

TEST_F(AssignmentsTest, AMoveFencesFirstAndAssignsWhenAllIsClosed) {
  const auto chip = add("alpha");
  assignments_.assign_all();
  const auto before = assignments_.session(chip);
  plane_.calls.clear();
  down(0);
  EXPECT_EQ(plane_.calls, std::vector<std::string>{"fence 0"});
  EXPECT_EQ(assignments_.active(), 0U);
  EXPECT_EQ(plane_.fences.front().next, Epoch(2));
  // Clients that come meanwhile wait for it.
  assignments_.wanted(chip);
  EXPECT_EQ(plane_.opened.size(), 1U);
  plane_.fences.front().done();
  EXPECT_EQ(plane_.calls, (std::vector<std::string>{"fence 0", "open 0"}));
  EXPECT_EQ(plane_.last().endpoint, EndpointIndex(1));
  EXPECT_EQ(plane_.last().epoch, Epoch(2));
  EXPECT_NE(plane_.last().session, before);
}

TEST_F(AssignmentsTest, OnlyTheChipsOfThatEndpointMove) {
  add("alpha");
  assignments_.assign_all();
  down(0);
  plane_.fences.front().done();  // alpha is on the second now
  add("beta");
  assignments_.assign(ChipIndex(1));
  recover(0);
  const auto gamma = add("gamma");
  assignments_.assign(gamma);
  EXPECT_EQ(plane_.last().endpoint, EndpointIndex(0));
  plane_.fences.clear();
  down(0);
  ASSERT_EQ(plane_.fences.size(), 1U);
  EXPECT_EQ(plane_.fences.front().chip, gamma);
}

TEST_F(AssignmentsTest, WithoutAnythingBetterASessionStaysWhereItIs) {
  add("alpha");
  assignments_.assign_all();
  down(1);
  down(0);
  EXPECT_TRUE(plane_.fences.empty());
  EXPECT_EQ(assignments_.active(), 1U);
}

TEST_F(AssignmentsTest, EveryShardsReportOfOneOutageCountsOnce) {
  add("alpha");
  assignments_.assign_all();
  down(0);
  plane_.fences.front().done();
  for (int i = 0; i < 5; ++i) down(0);
  EXPECT_EQ(plane_.fences.size(), 1U);
  EXPECT_FALSE(assignments_.endpoint_healthy(EndpointIndex(0)));
  log_.reset();  // writes what is queued
  // Had each counted, it would be held down for half a minute now.
  EXPECT_EQ(std::ranges::count_if(lines_, [](const auto& line) { return line.find("endpoint_down") != line.npos; }), 1);
}

TEST_F(AssignmentsTest, AnEndpointThatFailsWhileAChipMovesToItIsNotChosen) {
  add("alpha");
  assignments_.assign_all();
  down(0);
  recover(0);
  down(1);
  plane_.fences.front().done();
  EXPECT_EQ(plane_.last().endpoint, EndpointIndex(0));
}

TEST_F(AssignmentsTest, ARecoveryMovesNobodyBack) {
  add("alpha");
  assignments_.assign_all();
  down(0);
  plane_.fences.front().done();
  plane_.calls.clear();
  recover(0);
  EXPECT_TRUE(plane_.calls.empty());
}

}  // namespace
}  // namespace chipgate::lifecycle
