// A disk that is full or fails, at every call of every commit in turn.
#include "unit/ledger/fixture.hpp"
#include "unit/support/faulty_disk.hpp"
#include "unit/support/outside.hpp"

#include <array>
#include <functional>
#include <tuple>

namespace chipgate::ledger {
namespace {

using test::at;
using test::chip;
using test::FaultyDisk;
using test::ip;
using Fails = FaultyDisk::Fails;

struct Fault {
  std::string name;
  int code;
  Fails how;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

// One operation: what must be there before, the operation itself, and what of it can be seen by whom. All of it, that
// is "1", or nothing, "0": `sees` is one SELECT over every table that it touches.
struct Case {
  std::string name;
  std::function<void()> prepare;
  std::function<Result<void>()> act;
  std::string sees;
};

template <class T>
Result<void> forget(Result<T> result) {
  if (result.has_error()) return result.error();
  return {};
}

// A fault, and which of the operations meets it.
using Meeting = std::tuple<Fault, std::size_t>;
constexpr std::size_t operations = 5;

class Disk : public test::LedgerTest, public testing::WithParamInterface<Meeting> {
 public:
  static std::string name(const testing::TestParamInfo<Meeting>& info) {
    constexpr std::array<const char*, operations> names{"Take", "Close", "Swap", "Issue", "Move"};
    return std::string(names.at(std::get<1>(info.param))) + std::get<0>(info.param).name;
  }

 protected:
  static const Fault& fault() { return std::get<0>(GetParam()); }
  static std::size_t operation() { return std::get<1>(GetParam()); }

  // What a process would find that was started after this one had been killed now.
  std::string after_kill(const std::string& sql) {
    const test::Folder image;
    for (const std::string suffix : {"", "-wal"}) {
      std::filesystem::copy_file(options.path.string() + suffix, (image / "chipgate.db").string() + suffix);
    }
    test::Outside outside(image / "chipgate.db");
    EXPECT_EQ(outside.one("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(outside.run("PRAGMA foreign_key_check").size(), 0U);
    return outside.one(sql);
  }

  std::vector<Case> cases() {
    return {
        {"take", [this] { row_ = draw("alpha", {"192.0.2.1", "2001:db8::1"}, 1); },
         [this] { return forget(wait(ledger().take({row_}))); },
         "SELECT CASE WHEN a + l + o = 4 THEN 1 ELSE a + l + o END FROM (SELECT (SELECT COUNT(*) FROM assignments) a, "
         "(SELECT COUNT(*) FROM exit_leases) l, (SELECT COUNT(*) FROM identifiers WHERE outcome = 'opened') o)"},
        {"close", [this] { open_ = id_of(take("alpha", {"192.0.2.1"}, 1)); },
         [this] { return wait(ledger().close({.assignment = open_, .at = at(2), .reason = "release"})); },
         "SELECT CASE WHEN a + l = 2 THEN 1 ELSE a + l END FROM (SELECT (SELECT COUNT(*) FROM assignments WHERE state "
         "= "
         "'closed') a, (SELECT COUNT(*) FROM exit_leases WHERE held_until IS NOT NULL) l)"},
        {"swap",
         [this] {
           open_ = id_of(take("alpha", {"192.0.2.1"}, 1));
           pending_ = id_of(take_pending("alpha", {"192.0.2.2"}, 2));
         },
         [this] {
           Swap swap{{.assignment = open_, .at = at(3), .reason = "lifetime"}, pending_};
           return wait(ledger().swap(std::move(swap)));
         },
         "SELECT CASE WHEN c + o + l = 3 THEN 1 ELSE c + o + l END FROM (SELECT (SELECT COUNT(*) FROM assignments "
         "WHERE "
         "state = 'closed') c, (SELECT COUNT(*) FROM assignments WHERE id = 2 AND state = 'open') o, "
         "(SELECT COUNT(*) FROM exit_leases WHERE held_until IS NOT NULL) l)"},
        {"issue", [] {},
         [this] {
           return forget(
               wait(ledger().issue({SessionIdentifier("chip-alpha-9"), WireSession("w9"), chip("alpha"), at(1)})));
         },
         "SELECT COUNT(*) FROM identifiers"},
        {"observe as move", [this] { open_ = id_of(take("alpha", {"192.0.2.1"}, 1)); },
         [this] {
           Observe observe{{.assignment = open_, .chip = chip("alpha"), .address = ip("192.0.2.7"), .at = at(2)},
                           Observe::As::move};
           return wait(ledger().observe(std::move(observe)));
         },
         "SELECT CASE WHEN a + l = 2 THEN 1 ELSE a + l END FROM (SELECT (SELECT COUNT(*) FROM observations) a, "
         "(SELECT COUNT(*) FROM exit_leases WHERE held_until IS NOT NULL) l)"},
    };
  }

  // Fails the operation at one call after another until it needs no more calls. Gives how many calls there were.
  int try_every_call() {
    for (int call = 1;; ++call) {
      const test::Folder fresh;
      options.path = fresh / "chipgate.db";
      const auto one = cases().at(operation());
      desk();
      one.prepare();
      disk_.fail_at(call, fault().code, fault().how);
      const auto answer = one.act();
      const bool failed = disk_.failed();
      SCOPED_TRACE(one.name + " failing at call " + std::to_string(call));
      check(one, answer, failed);
      stop();
      if (!failed || testing::Test::HasFailure()) return call - 1;
    }
  }

  void check(const Case& one, const Result<void>& answer, bool failed) {
    EXPECT_EQ(answer.has_error(), failed);
    EXPECT_EQ(ledger().writable(), !failed);
    if (failed) {
      EXPECT_EQ(answer.error().kind, ErrorKind::ledger_unavailable);
      EXPECT_FALSE(answer.error().detail.empty());
    }
    disk_.heal();
    EXPECT_EQ(after_kill(one.sees), failed ? "0" : "1") << "answered " << (failed ? "error" : "done");
    if (!failed) return;
    EXPECT_TRUE(one.act().has_value()) << "the cause is gone";
    EXPECT_TRUE(ledger().writable());
    EXPECT_EQ(after_kill(one.sees), "1");
  }

  FaultyDisk disk_;

 private:
  AssignmentRow row_{.chip = chip("alpha")};
  AssignmentId open_{};
  AssignmentId pending_{};
};

TEST_P(Disk, FailsAnOperationWholeOrNotAtAllAndTheAnswerSaysWhich) {
  ASSERT_EQ(cases().size(), operations);
  // A commit is at least one page, and its sync.
  EXPECT_GE(try_every_call(), 2);
}

INSTANTIATE_TEST_SUITE_P(Faults, Disk,
                         testing::Combine(testing::Values(Fault{"FullOnce", SQLITE_FULL, Fails::once},
                                                          Fault{"FullForGood", SQLITE_FULL, Fails::writes_only},
                                                          Fault{"WriteErrorOnce", SQLITE_IOERR_WRITE, Fails::once},
                                                          Fault{"SyncErrorOnce", SQLITE_IOERR_FSYNC, Fails::once},
                                                          Fault{"SyncErrorForGood", SQLITE_IOERR_FSYNC,
                                                                Fails::syncs_only}),
                                          testing::Range(std::size_t{0}, operations)),
                         Disk::name);

class DyingDisk : public Disk {};

// A disk that takes the last page of a commit, fails its sync and then takes nothing more leaves no way to take that
// page back: the answer is an error, and after a kill the operation may be there. But then all of it is.
TEST_P(DyingDisk, NeverKeepsHalfAnOperation) {
  for (int call = 1;; ++call) {
    const test::Folder fresh;
    options.path = fresh / "chipgate.db";
    const auto one = cases().at(operation());
    desk();
    one.prepare();
    disk_.fail_at(call, fault().code, fault().how);
    const auto answer = one.act();
    const bool failed = disk_.failed();
    disk_.heal();
    const auto found = after_kill(one.sees);
    EXPECT_EQ(answer.has_error(), failed);
    EXPECT_TRUE(found == "1" || (found == "0" && failed)) << one.name << ": " << found;
    stop();
    if (!failed) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, DyingDisk,
                         testing::Combine(testing::Values(Fault{"IoErrorForGood", SQLITE_IOERR_WRITE, Fails::for_good}),
                                          testing::Range(std::size_t{0}, operations)),
                         DyingDisk::name);

class FullDisk : public test::LedgerTest {
 protected:
  FaultyDisk disk_;
};

TEST_F(FullDisk, StillAnswersQuestions) {
  const auto id = id_of(take("alpha", {"192.0.2.1"}, 0));
  disk_.fail_at(1, SQLITE_FULL, Fails::writes_only);
  EXPECT_TRUE(wait(ledger().verified(id, at(1))).has_error());
  EXPECT_EQ(history().size(), 1U);
  EXPECT_FALSE(ledger().writable());
  disk_.heal();
}

TEST_F(FullDisk, LeavesTheAddressOfAnUnrecordedReleaseReserved) {
  const auto id = id_of(take("alpha", {"192.0.2.1"}, 0));
  disk_.fail_at(1, SQLITE_FULL, Fails::writes_only);
  EXPECT_TRUE(wait(ledger().close({.assignment = id, .at = at(1), .reason = "release"})).has_error());
  disk_.heal();
  EXPECT_EQ(why(take("beta", {"192.0.2.1"}, 1'000)), LeaseRefusal::in_use);
}

TEST_F(FullDisk, LosesNothingWhenTheLedgerEndsOnIt) {
  const auto id = id_of(take("alpha", {"192.0.2.1"}, 0));
  disk_.fail_at(1, SQLITE_FULL, Fails::for_good);
  stop();
  disk_.heal();
  ASSERT_EQ(desk().restored.live.size(), 1U);
  EXPECT_EQ(desk().restored.live.front().id, id);
}

TEST_F(FullDisk, IsAnErrorAtStartThatNamesTheFile) {
  disk_.fail_at(1, SQLITE_FULL, Fails::for_good);
  const auto text = refusal();
  EXPECT_NE(text.find(options.path.string()), std::string::npos) << text;
  EXPECT_NE(text.find("full"), std::string::npos) << text;
  disk_.heal();
  EXPECT_EQ(desk().restored.assignments, 0U);
}

// Every call of a start in turn: it starts, or says why not, and the next start is good.
TEST_F(FullDisk, InTheMiddleOfTheFirstStartLeavesNothingInTheWay) {
  for (int call = 1;; ++call) {
    const test::Folder fresh;
    options.path = fresh / "chipgate.db";
    disk_.fail_at(call, SQLITE_FULL, Fails::writes_only);
    const auto text = refusal();
    const bool failed = disk_.failed();
    disk_.heal();
    if (text != "opened") {
      EXPECT_NE(text.find(options.path.string()), std::string::npos) << text;
    }
    id_of(take("alpha", {"192.0.2.1"}, 0));
    stop();
    if (!failed) break;
    ASSERT_LT(call, 500);
  }
}

}  // namespace
}  // namespace chipgate::ledger
