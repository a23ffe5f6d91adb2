// Starting: on nothing, on what was there before, on what is no ledger, beside somebody else.
#include "unit/ledger/fixture.hpp"
#include "unit/support/outside.hpp"

#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chipgate::ledger {
namespace {

namespace fs = std::filesystem;
using test::at;
using test::chip;
using test::Outside;

class Opening : public test::LedgerTest {
 protected:
  fs::path with(const std::string& suffix) const { return options.path.string() + suffix; }
  void write_file(const std::string& text) const { std::ofstream(options.path, std::ios::binary) << text; }
  // Opening is refused with the file's name and these words.
  void expect_refusal(const std::string& words) {
    const auto text = refusal();
    EXPECT_NE(text.find(options.path.filename().string()), std::string::npos) << text;
    EXPECT_NE(text.find(words), std::string::npos) << text;
  }
};

TEST_F(Opening, ANewLedgerHasAnIdAndNothingElse) {
  const auto& found = desk().restored;
  EXPECT_EQ(found.ledger_id.size(), 32U);
  EXPECT_GT(found.created_at, WallTime{});
  EXPECT_EQ(found.last_written, found.created_at);
  EXPECT_TRUE(found.chips.empty());
  EXPECT_TRUE(found.live.empty());
  EXPECT_EQ(found.assignments, 0U);
  EXPECT_FALSE(found.lost);
}

TEST_F(Opening, TheSameLedgerHasTheSameIdAndAge) {
  const auto id = desk().restored.ledger_id;
  const auto created = desk().restored.created_at;
  reopen();
  EXPECT_EQ(desk().restored.ledger_id, id);
  EXPECT_EQ(desk().restored.created_at, created);
  EXPECT_FALSE(desk().restored.lost);
}

TEST_F(Opening, NobodyElseMayReadItsFiles) {
  write_file("");
  fs::permissions(options.path, fs::perms::all);
  desk();
  id_of(take("alpha", {"192.0.2.1"}, 0));
  for (const std::string suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat status{};
    ASSERT_EQ(::stat(with(suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << suffix;
  }
}

TEST_F(Opening, ItWritesAheadAndWaitsForTheDisk) {
  desk();
  Outside outside(options.path);
  EXPECT_EQ(outside.one("PRAGMA journal_mode"), "wal");
}

TEST_F(Opening, ACleanEndLeavesOneFileAndItsLock) {
  id_of(take("alpha", {"192.0.2.1"}, 0));
  stop();
  EXPECT_TRUE(fs::exists(with("")));
  EXPECT_TRUE(fs::exists(with(".lock")));
  EXPECT_FALSE(fs::exists(with("-wal")));
}

TEST_F(Opening, ASecondOneIsRefusedWithTheHoldersPid) {
  desk();
  expect_refusal("pid " + std::to_string(::getpid()));
  id_of(take("alpha", {"192.0.2.1"}, 0));
  stop();
  EXPECT_EQ(refusal(), "opened");
}

TEST_F(Opening, ALinkToTheLedgerIsTheSameLedger) {
  desk();
  const auto path = options.path;
  fs::create_symlink(path, folder / "link.db");
  options.path = folder / "link.db";
  const auto text = refusal();
  EXPECT_NE(text.find("in use by another chipgate"), std::string::npos) << text;
}

// The working directory of a test, for as long as it is.
class WorkingIn {
 public:
  explicit WorkingIn(const fs::path& folder) { fs::current_path(folder); }
  ~WorkingIn() { fs::current_path(before_); }
  WorkingIn(const WorkingIn&) = delete;
  WorkingIn& operator=(const WorkingIn&) = delete;

 private:
  fs::path before_ = fs::current_path();
};

TEST_F(Opening, ABareNameIsAFileOfTheFolderThatItIsStartedIn) {
  const WorkingIn there(options.path.parent_path());
  options.path = options.path.filename();
  desk();
  EXPECT_TRUE(fs::exists(folder / options.path));
}

TEST_F(Opening, AFolderThatIsMissingIsNamed) {
  options.path = folder / "missing" / "chipgate.db";
  expect_refusal((folder / "missing").string());
  EXPECT_FALSE(fs::exists(folder / "missing"));
}

TEST_F(Opening, AFolderInThePlaceOfTheFileIsRefused) {
  fs::create_directory(options.path);
  expect_refusal("directory");
}

// In a process of its own, since it gives up its rights.
TEST_F(Opening, WithoutPermissionItSaysSo) {
  fs::permissions(folder / ".", fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
  int ends[2] = {};
  ASSERT_EQ(::pipe(ends), 0);
  const auto child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(1);
    if (::geteuid() != 65534) fs::permissions(folder / ".", fs::perms::owner_read | fs::perms::owner_exec);
    const auto text = refusal();
    const bool written = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text(1'000, '\0');
  const auto size = ::read(ends[0], text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  ::close(ends[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_NE(text.find(options.path.string()), std::string::npos) << text;
  EXPECT_NE(text.find("Permission denied"), std::string::npos) << text;
  fs::permissions(folder / ".", fs::perms::owner_all);
}

TEST_F(Opening, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  const std::string text(10'000, 'x');
  write_file(text);
  expect_refusal("not a database");
  std::ifstream file(options.path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
}

TEST_F(Opening, ADatabaseOfSomethingElseIsRefusedAndLeftAlone) {
  Outside(options.path).run("CREATE TABLE recipes (name TEXT)");
  expect_refusal("a database of something else: it has a table recipes");
  EXPECT_EQ(Outside(options.path).one("SELECT COUNT(*) FROM sqlite_master"), "1");
}

TEST_F(Opening, ALedgerOfANewerChipgateIsRefusedAndLeftAlone) {
  desk();
  stop();
  Outside(options.path).run("INSERT INTO schema_versions VALUES (999, 0)");
  expect_refusal("newer chipgate: its schema is 999");
  EXPECT_EQ(Outside(options.path).one("SELECT MAX(version) FROM schema_versions"), "999");
}

TEST_F(Opening, ADamagedLedgerIsRefused) {
  for (int i = 0; i < 50; ++i) id_of(take("chip" + std::to_string(i), {"192.0.2." + std::to_string(i)}, i));
  stop();
  const auto pages = std::stol(Outside(options.path).one("PRAGMA page_count"));
  ASSERT_GT(pages, 10);
  // Every page but the first, one at a time, would take long: some of them.
  std::ifstream original(options.path, std::ios::binary);
  const std::string good(std::istreambuf_iterator<char>(original), {});
  for (long page = 2; page <= pages; page += 3) {
    auto bad = good;
    bad.replace(static_cast<std::size_t>(page - 1) * 4096, 4096, 4096, '\xee');
    write_file(bad);
    EXPECT_NE(refusal(), "opened") << "page " << page;
  }
  write_file(good);
  EXPECT_EQ(desk().restored.assignments, 50U);
}

TEST_F(Opening, ALedgerThatWasCutOffIsRefused) {
  for (int i = 0; i < 50; ++i) id_of(take("chip" + std::to_string(i), {"192.0.2." + std::to_string(i)}, i));
  stop();
  fs::resize_file(options.path, fs::file_size(options.path) / 2);
  EXPECT_NE(refusal(), "opened");
}

TEST_F(Opening, AnEmptyLedgerWhereThereWasOneIsReported) {
  id_of(take("alpha", {"192.0.2.1"}, 5));
  const auto id = desk().restored.ledger_id;
  stop();
  fs::remove(options.path);
  ASSERT_TRUE(desk().restored.lost);
  EXPECT_EQ(desk().restored.lost->ledger_id, id);
  EXPECT_EQ(desk().restored.lost->assignments, 1U);
  EXPECT_EQ(desk().restored.lost->last_written, at(5));
  reopen();
  EXPECT_FALSE(desk().restored.lost) << "once";
}

TEST_F(Opening, AnEmptiedFileIsALostLedgerToo) {
  desk();
  stop();
  write_file("");
  EXPECT_TRUE(desk().restored.lost);
}

TEST_F(Opening, AnEarlierCopyThatWasPutBackIsReported) {
  id_of(take("alpha", {"192.0.2.1"}, 5));
  stop();
  fs::copy_file(options.path, folder / "copy.db");
  id_of(take("beta", {"192.0.2.2"}, 6));
  const auto id = desk().restored.ledger_id;
  stop();
  fs::copy_file(folder / "copy.db", options.path, fs::copy_options::overwrite_existing);
  ASSERT_TRUE(desk().restored.lost);
  EXPECT_EQ(desk().restored.lost->ledger_id, id);
  EXPECT_EQ(desk().restored.lost->assignments, 2U);
  EXPECT_EQ(desk().restored.assignments, 1U);
}

TEST_F(Opening, AMangledLockFileIsNoReasonNotToStart) {
  desk();
  stop();
  std::ofstream(with(".lock"), std::ios::binary) << "ledger \nassignments many\n" << std::string(2'000, '\xff');
  EXPECT_FALSE(desk().restored.lost);
  reopen();
  EXPECT_FALSE(desk().restored.lost);
}

// --- another prefix length

TEST_F(Opening, ALongerPrefixSetsLiveLeasesAndQuarantinesAnew) {
  options.prefix_v4 = 24;
  id_of(take("alpha", {"192.0.2.1"}, 0));
  close(id_of(take("beta", {"198.51.100.1"}, 1)), 2);
  stop();
  options.prefix_v4 = 32;
  EXPECT_EQ(why(take("gamma", {"192.0.2.1"}, 3)), LeaseRefusal::in_use);
  EXPECT_EQ(why(take("gamma", {"198.51.100.1"}, 4)), LeaseRefusal::quarantined);
  id_of(take("gamma", {"192.0.2.2"}, 5));
}

TEST_F(Opening, AShorterPrefixSetsLiveLeasesQuarantinesAndDenialsAnew) {
  id_of(take("alpha", {"192.0.2.1"}, 0));
  close(id_of(take("beta", {"198.51.100.1"}, 1)), 2);
  ASSERT_TRUE(wait(ledger().deny({test::ip("203.0.113.1"), at(3), "banned", ""})).has_value());
  stop();
  options.prefix_v4 = 24;
  EXPECT_EQ(why(take("gamma", {"192.0.2.99"}, 4)), LeaseRefusal::in_use);
  EXPECT_EQ(why(take("gamma", {"198.51.100.99"}, 5)), LeaseRefusal::quarantined);
  EXPECT_EQ(why(take("gamma", {"203.0.113.99"}, 6)), LeaseRefusal::denied);
  EXPECT_EQ(why(take("beta", {"198.51.100.99"}, 7)), LeaseRefusal::own_last);
}

TEST_F(Opening, AShorterPrefixByWhichLiveChipsCollideIsRefusedWithTheirNames) {
  id_of(take("alpha", {"192.0.2.1"}, 0));
  const auto beta = id_of(take("beta", {"192.0.2.2"}, 1));
  id_of(take("gamma", {"198.51.100.1"}, 2));
  stop();
  options.prefix_v4 = 24;
  expect_refusal("alpha and beta on 192.0.2.0/24");
  options.prefix_v4 = 32;
  EXPECT_EQ(desk().restored.live.size(), 3U) << "the old length goes on";
  EXPECT_EQ(why(take("delta", {"192.0.2.2"}, 3)), LeaseRefusal::in_use);
  close(beta, 4);
  stop();
  options.prefix_v4 = 24;
  EXPECT_EQ(why(take("delta", {"192.0.2.9"}, 5)), LeaseRefusal::in_use) << "alpha's stands over beta's quarantine";
}

TEST_F(Opening, QuarantinesThatFallTogetherLastAsLongAsTheLonger) {
  close(id_of(take("alpha", {"192.0.2.1"}, 0)), 1);
  close(id_of(take("beta", {"192.0.2.2"}, 2)), 50);
  close(id_of(take("alpha", {"198.51.100.1"}, 51)), 52);
  stop();
  options.prefix_v4 = 24;
  const auto refused = std::get<Refused>(take("gamma", {"192.0.2.3"}, 60));
  EXPECT_EQ(refused.why, LeaseRefusal::quarantined);
  EXPECT_EQ(refused.until, at(150));
  EXPECT_EQ(why(take("alpha", {"192.0.2.3"}, 61)), LeaseRefusal::quarantined) << "for beta's sake";
}

}  // namespace
}  // namespace chipgate::ledger
