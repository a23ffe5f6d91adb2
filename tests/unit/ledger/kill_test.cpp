// kill -9 at any instant: what was answered is there, and what is there makes sense.
#include "unit/ledger/fixture.hpp"
#include "unit/support/outside.hpp"

#include <csignal>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace chipgate::ledger {
namespace {

using test::at;
using test::chip;
using test::ip;

constexpr int chips = 6;
constexpr int rounds = 22;

// --- the child: a chipgate that does nothing but write, and says what it was answered

class Life {
 public:
  Life(Ledger& ledger, int number, int round, int pipe)
      : ledger_(ledger), name_("chip" + std::to_string(number)), pipe_(pipe), seconds_(round * 100'000) {
    random_.seed(static_cast<unsigned>(round * 100 + number));
  }

  // Draws, renews and releases without end.
  net::Task<Result<void>> live(std::optional<AssignmentId> open, std::optional<AssignmentId> pending) {
    for (;;) {
      if (pending) co_await end(*pending, "unwanted");
      pending.reset();
      if (open) co_await end(*open, "release");
      open = co_await draw(AssignmentState::open);
      if (open && random_() % 2 == 0) pending = co_await draw(AssignmentState::pending);
      if (open && pending && random_() % 2 == 0) {
        Swap swap{{.assignment = *open, .at = now(), .reason = "lifetime"}, *pending};
        const auto done = co_await ledger_.swap(std::move(swap));
        if (done.has_value()) {
          say("closed", open->value());
          say("opened", pending->value());
          open = std::exchange(pending, std::nullopt);
        }
      }
    }
  }

 private:
  WallTime now() { return at(++seconds_); }

  void say(const std::string& what, std::int64_t id, const std::string& more = "") {
    const auto line = what + " " + std::to_string(id) + " " + name_ + " " + more + "\n";
    if (::write(pipe_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(2);
  }

  net::Task<std::optional<AssignmentId>> draw(AssignmentState state) {
    AssignmentRow row{.chip = chip(name_), .state = state, .assigned_at = now(), .verified_at = now()};
    row.session = SessionIdentifier("chip-" + name_ + "-" + std::to_string(seconds_));
    row.wire = WireSession("w-" + row.session.value());
    row.exits.set(ip("192.0.2." + std::to_string(random_() % 24)));
    Issue issue{row.session, row.wire, row.chip, now()};
    const auto issued = co_await ledger_.issue(std::move(issue));
    if (!issued.has_value() || *issued != Issued::fresh) co_return std::nullopt;
    say("issued", 0, row.session.value());
    Take take{row, Quarantine::overridden};
    const auto taken = co_await ledger_.take(std::move(take));
    if (taken.has_error() || !std::holds_alternative<AssignmentId>(*taken)) co_return std::nullopt;
    const auto id = std::get<AssignmentId>(*taken);
    say(state == AssignmentState::open ? "opened" : "pending", id.value(), row.exits.v4->text());
    co_return id;
  }

  net::Task<Result<void>> end(AssignmentId id, std::string reason) {
    Close close{.assignment = id, .at = now(), .reason = std::move(reason)};
    auto done = co_await ledger_.close(std::move(close));
    if (done.has_value()) say("closed", id.value());
    co_return done;
  }

  Ledger& ledger_;
  std::string name_;
  int pipe_;
  int seconds_;
  std::mt19937 random_;
};

[[noreturn]] void serve(const LedgerOptions& options, int round, int pipe) {
  test::Desk desk(options);
  std::map<std::string, std::map<AssignmentState, AssignmentId>> live;
  for (const auto& row : desk.restored.live) live[row.chip.value()][row.state] = row.id;
  std::vector<std::unique_ptr<Life>> lives;
  for (int i = 0; i < chips; ++i) {
    auto& found = live["chip" + std::to_string(i)];
    const auto of = [&](AssignmentState state) {
      return found.contains(state) ? std::optional(found[state]) : std::nullopt;
    };
    lives.push_back(std::make_unique<Life>(*desk.ledger, i, round, pipe));
    desk.start(lives.back()->live(of(AssignmentState::open), of(AssignmentState::pending)));
  }
  for (;;) desk.run();
}

// --- the parent: what it was told, and whether it is true

struct Told {
  std::map<std::int64_t, std::string> state;  // the latest, by assignment
  std::map<std::int64_t, std::string> exit;
  std::set<std::string> issued;
  std::size_t answers = 0;

  void hear(const std::string& line) {
    std::istringstream words(line);
    std::string what;
    std::string name;
    std::string more;
    std::int64_t id = 0;
    words >> what >> id >> name >> more;
    ++answers;
    if (what == "issued") {
      EXPECT_TRUE(issued.insert(more).second) << "twice: " << more;
      return;
    }
    state[id] = what == "opened" ? "open" : what;
    if (!more.empty()) exit[id] = more;
  }
};

class Kill : public test::LedgerTest {
 protected:
  // Lets a child work, kills it at some instant after so many answers, and hears all that it said.
  void live_and_die(int round, Told& told) {
    int ends[2] = {};
    ASSERT_EQ(::pipe(ends), 0);
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      serve(options, round, ends[1]);
    }
    ::close(ends[1]);
    const auto before = told.answers;
    const auto enough = before + random_() % 200;
    std::string text;
    bool killed = false;
    for (char buffer[4096];;) {
      if (!killed && told.answers >= enough) {
        // Not to wait for anything: so that the kill does not always fall right behind an answer.
        std::this_thread::sleep_for(std::chrono::microseconds(random_() % 2'000));
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        killed = true;
      }
      const auto size = ::read(ends[0], buffer, sizeof buffer);
      if (size <= 0) break;
      text.append(buffer, static_cast<std::size_t>(size));
      for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
        told.hear(text.substr(0, end));
        text.erase(0, end + 1);
      }
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself: " << status;
  }

  // The one thing that may be ahead of what was told is the operation whose answer the kill cut off.
  void compare(const Told& told) {
    std::map<std::int64_t, AssignmentRow> rows;
    for (auto& found : history({.limit = 1'000'000})) rows.emplace(found.row.id.value(), found.row);
    for (const auto& [id, state] : told.state) {
      ASSERT_TRUE(rows.contains(id)) << "assignment " << id << " was answered and is lost";
      const auto& row = rows.at(id);
      const auto rank = [](const std::string& word) { return word == "pending" ? 0 : word == "open" ? 1 : 2; };
      EXPECT_GE(static_cast<int>(row.state), rank(state)) << "assignment " << id << " was " << state;
      if (told.exit.contains(id)) {
        EXPECT_EQ(row.exits.v4->text(), told.exit.at(id));
      }
    }
    test::Outside outside(options.path);
    const auto kept = outside.run("SELECT value FROM identifiers");
    const std::set<std::string> identifiers(kept.begin(), kept.end());
    EXPECT_EQ(identifiers.size(), kept.size());
    for (const auto& session : told.issued) EXPECT_TRUE(identifiers.contains(session)) << session << " is lost";
    expect_sense(outside);
  }

  static void expect_sense(test::Outside& outside) {
    EXPECT_EQ(outside.one("PRAGMA integrity_check"), "ok");
    EXPECT_TRUE(outside.run("PRAGMA foreign_key_check").empty());
    const auto none = [&](const std::string& sql) { EXPECT_EQ(outside.run(sql), std::vector<std::string>{}) << sql; };
    none("SELECT chip_id FROM assignments WHERE state = 'open' GROUP BY chip_id HAVING COUNT(*) > 1");
    none("SELECT chip_id FROM assignments WHERE state = 'pending' GROUP BY chip_id HAVING COUNT(*) > 1");
    none("SELECT exit_v4 FROM assignments WHERE state <> 'closed' GROUP BY exit_v4 HAVING COUNT(*) > 1");
    none("SELECT id FROM assignments WHERE session_identifier NOT IN (SELECT value FROM identifiers)");
    none(
        "SELECT id FROM assignments WHERE state <> 'closed' AND id NOT IN "
        "(SELECT assignment_id FROM exit_leases WHERE assignment_id IS NOT NULL AND address = exit_v4)");
    none(
        "SELECT prefix FROM exit_leases WHERE assignment_id IS NOT NULL AND assignment_id NOT IN "
        "(SELECT id FROM assignments WHERE state <> 'closed')");
    none(
        "SELECT a.id FROM assignments a JOIN assignments b ON a.exit_v4 = b.exit_v4 AND a.id < b.id "
        "AND b.assigned_at < COALESCE(a.released_at, b.assigned_at + 1)");
    none("SELECT id FROM assignments WHERE released_at < assigned_at");
  }

  std::mt19937 random_{20'260'131};
};

TEST_F(Kill, NothingThatWasAnsweredIsLostAndNothingIsHalfDone) {
  Told told;
  for (int round = 1; round <= rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    ASSERT_NO_FATAL_FAILURE(live_and_die(round, told));
    ASSERT_NO_FATAL_FAILURE(compare(told));
    EXPECT_FALSE(desk().restored.lost);
    stop();
    if (HasFailure()) return;
  }
  EXPECT_GT(told.answers, static_cast<std::size_t>(rounds) * 50);
  EXPECT_GT(told.state.size(), static_cast<std::size_t>(rounds) * 10);
}

}  // namespace
}  // namespace chipgate::ledger
