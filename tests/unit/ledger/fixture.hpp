// LedgerTest: a real ledger in a folder of its own, and words for its life.
#pragma once

#include "chipgate/ledger/open.hpp"
#include "unit/support/folder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace chipgate::test {

using namespace std::chrono_literals;

inline ChipId chip(const std::string& id) { return *ChipId::parse(id); }
inline IpAddress ip(const std::string& text) { return *IpAddress::parse(text); }
// Seconds on the tests' own calendar, later than any real clock: the ledger never goes back behind its creation.
inline WallTime at(int seconds) { return WallTime(std::chrono::seconds(4'000'000'000 + seconds)); }

// A ledger and the thread that it answers on, which is the test's.
class Desk {
 public:
  explicit Desk(const ledger::LedgerOptions& options) {
    auto opened = ledger::open_ledger(options, control, "test");
    ledger = std::move(opened.ledger);
    restored = std::move(opened.restored);
  }

  // Begins, without waiting for the answer.
  template <class T>
  std::shared_ptr<std::optional<T>> start(net::Task<T> task) {
    auto answer = std::make_shared<std::optional<T>>();
    boost::asio::co_spawn(control, std::move(task), [answer](const std::exception_ptr& error, T value) {
      if (error) std::rethrow_exception(error);
      answer->emplace(std::move(value));
    });
    return answer;
  }
  void run() {
    control.restart();
    control.run_for(30s);
  }
  template <class T>
  T wait(net::Task<T> task) {
    const auto answer = start(std::move(task));
    run();
    if (!*answer) throw std::runtime_error("the ledger did not answer");
    return std::move(**answer);
  }

  boost::asio::io_context control;
  ledger::Restored restored;
  std::unique_ptr<ledger::Ledger> ledger;
};

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() {
    options.path = folder / "chipgate.db";
    options.quarantine = 100s;
  }

  Desk& desk() {
    if (!desk_) desk_.emplace(options);
    return *desk_;
  }
  ledger::Ledger& ledger() { return *desk().ledger; }
  template <class T>
  T wait(net::Task<T> task) {
    return desk().wait(std::move(task));
  }
  void stop() { desk_.reset(); }
  void reopen() {
    stop();
    desk();
  }
  // What opening throws.
  std::string refusal() {
    try {
      Desk(this->options);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "opened";
  }

  // A row with a session that was issued to the chip.
  ledger::AssignmentRow draw(const std::string& id, const std::vector<std::string>& exits, int seconds) {
    const auto name = "chip-" + id + "-" + std::to_string(++sessions_);
    ledger::AssignmentRow row{.chip = chip(id),
                              .session = SessionIdentifier(name),
                              .wire = WireSession("w" + name),
                              .provider = "smartproxy",
                              .endpoint = "http://gate:3120",
                              .credentials_digest = "digest",
                              .instance = "test",
                              .assigned_at = at(seconds),
                              .verified_at = at(seconds)};
    for (const auto& exit : exits) row.exits.set(ip(exit));
    EXPECT_EQ(wait(ledger().issue({row.session, row.wire, row.chip, at(seconds)})).value(), ledger::Issued::fresh);
    return row;
  }
  ledger::Taken take(const ledger::AssignmentRow& row, ledger::Quarantine quarantine = ledger::Quarantine::respected) {
    ledger::Take take{row, quarantine};
    return wait(ledger().take(std::move(take))).value();
  }
  ledger::Taken take(const std::string& id, const std::vector<std::string>& exits, int seconds) {
    return take(draw(id, exits, seconds));
  }
  ledger::Taken take_pending(const std::string& id, const std::vector<std::string>& exits, int seconds) {
    auto row = draw(id, exits, seconds);
    row.state = ledger::AssignmentState::pending;
    return take(row);
  }
  // The id of what was taken; a failure where it was refused.
  static AssignmentId id_of(const ledger::Taken& taken) {
    const auto* id = std::get_if<AssignmentId>(&taken);
    EXPECT_NE(id, nullptr) << "refused";
    return id != nullptr ? *id : AssignmentId{};
  }
  static std::optional<ledger::LeaseRefusal> why(const ledger::Taken& taken) {
    const auto* refused = std::get_if<ledger::Refused>(&taken);
    if (refused == nullptr) return std::nullopt;
    return refused->why;
  }
  void close(AssignmentId id, int seconds, std::string reason = "release") {
    ledger::Close close{.assignment = id, .at = at(seconds), .reason = std::move(reason)};
    EXPECT_TRUE(wait(ledger().close(std::move(close))).has_value());
  }
  void observe(AssignmentId id, const std::string& of, const std::string& address, int seconds,
               ledger::Observe::As as = ledger::Observe::As::note) {
    ledger::Observe observe{
        {.assignment = id, .chip = chip(of), .address = ip(address), .at = at(seconds), .echo = "reply"}, as};
    EXPECT_TRUE(wait(ledger().observe(std::move(observe))).has_value());
  }
  std::vector<ledger::HistoryRow> history(ledger::AssignmentFilter filter = {}) {
    return wait(ledger().assignments(std::move(filter))).value();
  }

  Folder folder;
  ledger::LedgerOptions options;

 private:
  int sessions_ = 0;
  std::optional<Desk> desk_;
};

}  // namespace chipgate::test
