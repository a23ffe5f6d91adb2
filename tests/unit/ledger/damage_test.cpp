// A file that somebody else has locked, or that is damaged while it is in use.
#include "chipgate/net/unique_fd.hpp"
#include "unit/ledger/fixture.hpp"
#include "unit/support/outside.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace chipgate::ledger {
namespace {

using test::at;
using test::chip;
using test::Outside;

constexpr std::size_t page_size = 4096;

class Damage : public test::LedgerTest {
 protected:
  void TearDown() override { stop(); }

  void open_file() { file_ = net::UniqueFd(::open(options.path.c_str(), O_RDWR | O_CLOEXEC)); }
  // The first page of a table or an index.
  std::size_t page_of(const std::string& name) {
    return std::stoul(Outside(options.path).one("SELECT rootpage FROM sqlite_master WHERE name = '" + name + "'"));
  }
  std::string read_page(std::size_t page) {
    std::string bytes(page_size, '\0');
    EXPECT_EQ(::pread(file_.get(), bytes.data(), bytes.size(), offset(page)), static_cast<ssize_t>(page_size));
    return bytes;
  }
  void write_page(std::size_t page, const std::string& bytes) {
    EXPECT_EQ(::pwrite(file_.get(), bytes.data(), bytes.size(), offset(page)), static_cast<ssize_t>(bytes.size()));
  }
  // A ledger whose pages are all in the file itself, with one assignment, freshly opened.
  AssignmentId settled() {
    const auto id = id_of(take("alpha", {"192.0.2.1"}, 0));
    reopen();
    open_file();
    return id;
  }
  // Fails a write, after which the ledger's thread remembers no page.
  void make_it_forget(AssignmentId id) {
    Outside outside(options.path);
    outside.run("BEGIN IMMEDIATE");
    EXPECT_TRUE(wait(ledger().verified(id, at(1))).has_error());
  }

 private:
  static off_t offset(std::size_t page) { return static_cast<off_t>((page - 1) * page_size); }

  // Open until the ledger has ended: closing any descriptor of the file would drop the locks that SQLite has on it.
  net::UniqueFd file_;
};

TEST_F(Damage, AWriteLockOfSomebodyElseIsAnErrorAsLongAsItLasts) {
  const auto id = id_of(take("alpha", {"192.0.2.1"}, 0));
  {
    Outside outside(options.path);
    outside.run("BEGIN IMMEDIATE");
    const auto answer = wait(ledger().verified(id, at(1)));
    ASSERT_TRUE(answer.has_error());
    EXPECT_EQ(answer.error().kind, ErrorKind::ledger_unavailable);
    EXPECT_NE(answer.error().detail.find("locked"), std::string::npos) << answer.error().detail;
    EXPECT_FALSE(ledger().writable());
    EXPECT_EQ(history().size(), 1U) << "reading goes on";
  }
  EXPECT_TRUE(wait(ledger().verified(id, at(2))).has_value());
  EXPECT_TRUE(ledger().writable());
  EXPECT_EQ(history().front().row.verified_at, at(2));
}

// Had each of them waited for the lock, the last would have been answered after minutes.
TEST_F(Damage, AWriteLockFailsAllThatIsQueuedAtOnce) {
  const auto id = id_of(take("alpha", {"192.0.2.1"}, 0));
  Outside outside(options.path);
  outside.run("BEGIN IMMEDIATE");
  std::vector<std::shared_ptr<std::optional<Result<void>>>> answers;
  for (int i = 0; i < 1'000; ++i) answers.push_back(desk().start(ledger().verified(id, at(i))));
  desk().run();
  for (const auto& answer : answers) {
    ASSERT_TRUE(*answer);
    EXPECT_TRUE((*answer)->has_error());
  }
}

TEST_F(Damage, HistoryFromADamagedPageIsAnErrorUntilItIsRepaired) {
  settled();
  const auto page = page_of("assignments");
  const auto good = read_page(page);
  write_page(page, std::string(page_size, '\xee'));
  const auto answer = wait(ledger().assignments({}));
  ASSERT_TRUE(answer.has_error());
  EXPECT_EQ(answer.error().kind, ErrorKind::ledger_unavailable);
  EXPECT_NE(answer.error().detail.find("malformed"), std::string::npos) << answer.error().detail;
  write_page(page, good);
  EXPECT_EQ(history().size(), 1U);
}

TEST_F(Damage, AWriteThatMeetsADamagedPageIsAnErrorUntilItIsRepaired) {
  const auto id = settled();
  for (const std::string name : {"assignments", "exit_leases", "identifiers"}) {
    const auto row = draw("beta", {"192.0.2.1"}, 1);
    reopen();  // the row of before is in the file now
    open_file();
    make_it_forget(id);
    const auto page = page_of(name);
    const auto good = read_page(page);
    write_page(page, std::string(page_size, '\xee'));
    Take wanted{row};
    const auto answer = wait(ledger().take(wanted));
    ASSERT_TRUE(answer.has_error()) << "never free because it cannot be read: " << name;
    EXPECT_EQ(answer.error().kind, ErrorKind::ledger_unavailable);
    EXPECT_FALSE(ledger().writable());
    write_page(page, good);
    EXPECT_EQ(why(take(row)), LeaseRefusal::in_use);
    EXPECT_TRUE(ledger().writable());
  }
}

TEST_F(Damage, ARowThatMakesNoSenseIsAnErrorThatNamesIt) {
  id_of(take("alpha", {"192.0.2.1"}, 0));
  Outside(options.path).run("UPDATE assignments SET exit_v4 = 'nonsense'");
  const auto answer = wait(ledger().assignments({}));
  ASSERT_TRUE(answer.has_error());
  EXPECT_NE(answer.error().detail.find("row 1 of assignments"), std::string::npos) << answer.error().detail;
  stop();
  EXPECT_NE(refusal().find("row 1 of assignments"), std::string::npos) << "nor does it start with an exit less";
}

}  // namespace
}  // namespace chipgate::ledger
