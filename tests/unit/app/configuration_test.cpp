// Reloads: one at a time, all or nothing, and what is told of them.
#include "chipgate/app/configuration.hpp"

#include "chipgate/net/task.hpp"
#include "chipgate/telemetry/line_sink.hpp"
#include "chipgate/telemetry/log.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

namespace chipgate::app {
namespace {

using admin::NotReloaded;
using admin::Reloaded;

class NoLines final : public telemetry::LineSink {
 public:
  telemetry::Written write(std::string_view) override { return telemetry::Written::whole; }
};

config::LoadResult read(const std::string& text) {
  const config::Environment nothing{[](const std::string&) { return std::nullopt; },
                                    [](const std::string&) { return config::FileContent{}; }};
  return config::parse("gateway: {username: alice, password: hunter2}\n" + text, "chipgate.yaml", nothing);
}

class ConfigurationTest : public testing::Test {
 protected:
  Configuration::Steps steps() {
    Configuration::Steps made;
    made.read = [this] {
      ++reads_;
      return read(file_);
    };
    made.ports = [this] { return ports_; };
    made.reconfigure = [this](lifecycle::Reconfigure wanted) { return reconfigure(std::move(wanted)); };
    made.spread = [this](const config::Settings&, const std::vector<std::string>& keys) { spread_.push_back(keys); };
    return made;
  }

  net::Task<lifecycle::Wish<lifecycle::Reconfigured>> reconfigure(lifecycle::Reconfigure wanted) {
    asked_.push_back(std::move(wanted));
    boost::asio::steady_timer wait(control_, std::chrono::hours(1));
    gate_ = &wait;
    if (slow_) co_await wait.async_wait(boost::asio::as_tuple(net::use_task));
    gate_ = nullptr;
    if (denied_) co_return *denied_;
    co_return done_;
  }

  void begin() {
    boost::asio::co_spawn(control_, configuration_.reload(), [this](const std::exception_ptr& failure, auto answer) {
      if (failure) std::rethrow_exception(failure);
      answers_.push_back(std::move(answer));
    });
    go_on();
  }
  void go_on() {
    control_.restart();
    control_.poll();
  }
  void let_through() {
    ASSERT_NE(gate_, nullptr);
    gate_->cancel();
    go_on();
  }
  template <class T>
  T reload() {
    begin();
    return std::get<T>(answers_.back());
  }

  boost::asio::io_context control_{1};
  telemetry::Log log_{{}, std::make_unique<NoLines>()};
  std::string file_ = "chips: [{id: a}, {id: b}]";
  std::map<ChipId, std::uint16_t> ports_;
  lifecycle::Reconfigured done_;
  std::optional<lifecycle::Denied> denied_;
  bool slow_ = false;
  int reads_ = 0;
  boost::asio::steady_timer* gate_ = nullptr;
  std::vector<lifecycle::Reconfigure> asked_;
  std::vector<std::vector<std::string>> spread_;
  std::vector<admin::ReloadAnswer> answers_;
  Configuration configuration_{control_, log_, read(file_).value().settings, steps()};
};

TEST_F(ConfigurationTest, TakesTheDifferenceOnAndTellsEveryone) {
  file_ = "chips: [{id: b}, {id: c}]\nkeep: {unused: 1h}\nworkers: 2";
  const auto done = reload<Reloaded>();
  EXPECT_EQ(done.added, std::vector<std::string>{"c"});
  EXPECT_EQ(done.removed, std::vector<std::string>{"a"});
  EXPECT_EQ(done.settings, std::vector<std::string>{"keep.unused"});
  EXPECT_EQ(done.restart_needed, std::vector<std::string>{"workers"});
  EXPECT_EQ(asked_.back().life.keep.unused, std::chrono::hours(1));
  EXPECT_EQ(asked_.back().added.front().port, 20'003);
  EXPECT_EQ(spread_.back(), done.settings);
  EXPECT_EQ(configuration_.in_force().proxy.workers, 0U);
  EXPECT_TRUE(
      configuration_.redacted().starts_with("# The file says otherwise, and a restart would take it on:\n"
                                            "#   workers\n"));
  EXPECT_EQ(configuration_.redacted().find("hunter2"), std::string::npos);
  EXPECT_TRUE(reload<Reloaded>().added.empty());
}

TEST_F(ConfigurationTest, KeepsOffThePortsOfOtherChips) {
  ports_ = {{*ChipId::parse("a"), 20'001}, {*ChipId::parse("made"), 20'003}};
  file_ = "chips: [{id: a}, {id: b}, {id: c}]";
  (void)reload<Reloaded>();
  EXPECT_EQ(asked_.back().added.front().port, 20'004);
}

TEST_F(ConfigurationTest, AWrongFileIsToldLineByLineAndChangesNothing) {
  file_ = "chips: [{id: 'not an id'}]\nverif: {}";
  const auto refused = reload<NotReloaded>();
  EXPECT_EQ(refused.why, NotReloaded::Why::bad_configuration);
  EXPECT_NE(refused.message.find("chipgate.yaml:2: chips[0].id: "), std::string::npos) << refused.message;
  EXPECT_NE(refused.message.find("\nchipgate.yaml:3: verif: "), std::string::npos) << refused.message;
  EXPECT_TRUE(asked_.empty());
  EXPECT_TRUE(spread_.empty());
}

TEST_F(ConfigurationTest, WhatTheLifeCycleRefusesIsNotInForce) {
  denied_ = lifecycle::Denied{lifecycle::Denial::port_taken, "taken", "chips[c].port"};
  file_ = "chips: [{id: c}]\nkeep: {unused: 1h}";
  EXPECT_EQ(reload<lifecycle::Denied>().field, "chips[c].port");
  EXPECT_EQ(configuration_.in_force().chips.size(), 2U);
  EXPECT_TRUE(spread_.empty());
  denied_.reset();
  EXPECT_EQ(reload<Reloaded>().added, std::vector<std::string>{"c"});
}

TEST_F(ConfigurationTest, WhatIsUnfinishedIsTriedByTheNextReload) {
  done_.unfinished = {{*ChipId::parse("c"), "has no port"}};
  file_ = "chips: [{id: a}, {id: b}, {id: c}, {id: d}]";
  const auto first = reload<Reloaded>();
  EXPECT_EQ(first.added, std::vector<std::string>{"d"});
  EXPECT_EQ(first.unfinished, std::vector<std::string>{"chip c has no port"});
  done_.unfinished.clear();
  EXPECT_EQ(reload<Reloaded>().added, std::vector<std::string>{"c"});
}

TEST_F(ConfigurationTest, ASecondReloadIsRefusedWhileTheFirstRuns) {
  slow_ = true;
  begin();
  EXPECT_TRUE(answers_.empty());
  begin();
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(std::get<NotReloaded>(answers_.front()).why, NotReloaded::Why::running);
  let_through();
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<Reloaded>(answers_.back()));
  EXPECT_EQ(reads_, 1);
}

TEST_F(ConfigurationTest, HangupsWhileOneRunsAreFollowedByOneMore) {
  slow_ = true;
  begin();
  for (int i = 0; i < 5; ++i) configuration_.hang_up();
  go_on();
  EXPECT_EQ(reads_, 1);
  file_ = "chips: [{id: a}]";
  let_through();
  EXPECT_EQ(reads_, 2);
  let_through();
  EXPECT_EQ(reads_, 2);
  EXPECT_EQ(configuration_.in_force().chips.size(), 1U);
}

TEST_F(ConfigurationTest, NothingIsReadOnceItEnds) {
  configuration_.close();
  EXPECT_EQ(reload<NotReloaded>().why, NotReloaded::Why::stopping);
  configuration_.hang_up();
  go_on();
  EXPECT_EQ(reads_, 0);
}

}  // namespace
}  // namespace chipgate::app
