// Transactions that remember their first failure, and migrations.
#include "ledger/migrations.hpp"
#include "ledger/prefix.hpp"
#include "ledger/transaction.hpp"
#include "unit/ledger/fixture.hpp"
#include "unit/support/outside.hpp"

#include <fstream>

namespace chipgate::ledger {
namespace {

using test::ip;
using Mode = Transaction::Mode;

class Sql : public testing::Test {
 protected:
  Sql() { run("CREATE TABLE things (name TEXT PRIMARY KEY, owner TEXT REFERENCES things (name))"); }
  void run(const std::string& sql) { ASSERT_TRUE(database_.run(sql).has_value()); }
  std::string things() {
    std::string names;
    const auto rows = database_.run("SELECT name FROM things ORDER BY name");
    EXPECT_TRUE(rows.has_value());
    for (const auto& row : *rows) names += row.text(0);
    return names;
  }
  static Database open(const std::filesystem::path& path) {
    std::ofstream(path).close();
    return Database::open(path, Access::read_write).value();
  }

  test::Folder folder_;
  std::filesystem::path path_ = folder_ / "some.db";
  Database database_ = open(path_);
};

TEST_F(Sql, WhatIsNotCommittedIsTakenBack) {
  {
    Transaction in(database_, Mode::write);
    in.run("INSERT INTO things (name) VALUES ($1)", {"a"});
  }
  EXPECT_EQ(things(), "");
  {
    Transaction in(database_, Mode::write);
    in.run("INSERT INTO things (name) VALUES ($1)", {"a"});
    EXPECT_TRUE(in.commit().has_value());
  }
  EXPECT_EQ(things(), "a");
}

TEST_F(Sql, AfterAFailureNothingIsRunAndCommitSaysWhy) {
  Transaction in(database_, Mode::write);
  in.run("INSERT INTO things (name) VALUES ('a')");
  in.run("INSERT INTO things (name) VALUES ('a')");
  EXPECT_TRUE(in.run("SELECT name FROM things").empty());
  in.run("INSERT INTO nowhere VALUES (1)");
  const auto done = in.commit();
  ASSERT_TRUE(done.has_error());
  EXPECT_EQ(done.error().kind, ErrorKind::ledger_unavailable);
  EXPECT_NE(done.error().detail.find("UNIQUE"), std::string::npos) << "the first one: " << done.error().detail;
}

TEST_F(Sql, AFailedTransactionLeavesTheDatabaseReadyForTheNext) {
  {
    Transaction in(database_, Mode::write);
    in.run("INSERT INTO things (name) VALUES ('a')");
    in.fail("no good");
    EXPECT_TRUE(in.commit().has_error());
  }
  EXPECT_EQ(things(), "");
  Transaction in(database_, Mode::write);
  in.run("INSERT INTO things (name) VALUES ('b')");
  EXPECT_TRUE(in.commit().has_value());
}

TEST_F(Sql, ForeignKeysCount) {
  Transaction in(database_, Mode::write);
  in.run("INSERT INTO things (name, owner) VALUES ('a', 'nobody')");
  EXPECT_TRUE(in.commit().has_error());
}

TEST_F(Sql, APartIsTakenBackUnlessItIsKept) {
  Transaction in(database_, Mode::write);
  in.run("INSERT INTO things (name) VALUES ('a')");
  {
    Savepoint part(in);
    in.run("INSERT INTO things (name) VALUES ('b')");
  }
  {
    Savepoint part(in);
    in.run("INSERT INTO things (name) VALUES ('c')");
    part.keep();
  }
  EXPECT_TRUE(in.commit().has_value());
  EXPECT_EQ(things(), "ac");
}

TEST_F(Sql, ATransactionThatCannotBeginFailsFromItsStart) {
  test::Outside outside(path_);
  outside.run("BEGIN EXCLUSIVE");
  Transaction in(database_, Mode::write);
  EXPECT_FALSE(in.begun());
  EXPECT_TRUE(in.run("SELECT 1").empty());
  EXPECT_TRUE(in.commit().has_error());
}

TEST_F(Sql, PlaceholdersAreNumbersWhateverTheirOrder) {
  Transaction in(database_, Mode::read);
  const auto row = in.row("SELECT $2, $1, $2, $3", {"one", 2, Value()});
  ASSERT_TRUE(row);
  EXPECT_EQ(row->number(0), 2);
  EXPECT_EQ(row->text(1), "one");
  EXPECT_EQ(row->number(2), 2);
  EXPECT_TRUE(row->null(3));
}

TEST_F(Sql, TextKeepsItsZeroesAndTimesTheirMicroseconds) {
  Transaction in(database_, Mode::read);
  const std::string text("a\0b", 3);
  const auto time = test::at(1) + std::chrono::microseconds(123'456);
  const auto row = in.row("SELECT $1, $2, $3", {text, time, std::optional<WallTime>()});
  EXPECT_EQ(row->text(0), text);
  EXPECT_EQ(row->time(1), time);
  EXPECT_FALSE(row->optional_time(2));
}

TEST_F(Sql, AMissingFileIsNotMade) {
  const auto other = folder_ / "other.db";
  EXPECT_TRUE(Database::open(other, Access::read_write).has_error());
  EXPECT_FALSE(std::filesystem::exists(other));
}

// --- migrations

class Migrations : public testing::Test {
 protected:
  static Database open(const std::filesystem::path& path) {
    std::ofstream(path).close();
    return Database::open(path, Access::read_write).value();
  }
  std::string one(const std::string& sql) { return test::Outside(path_).one(sql); }

  test::Folder folder_;
  std::filesystem::path path_ = folder_ / "some.db";
  Database database_ = open(path_);
  std::vector<Migration> steps_{{1, "CREATE TABLE a (x BIGINT); INSERT INTO a VALUES (7);"},
                                {2, "ALTER TABLE a ADD COLUMN y BIGINT; UPDATE a SET y = x + 1;"}};
};

TEST_F(Migrations, OnlyTheMissingStepsAreTaken) {
  ASSERT_TRUE(migrate(database_, std::span(steps_).first(1)).has_value());
  EXPECT_EQ(one("SELECT MAX(version) FROM schema_versions"), "1");
  ASSERT_TRUE(migrate(database_, steps_).has_value());
  EXPECT_EQ(one("SELECT y FROM a"), "8");
  EXPECT_EQ(one("SELECT COUNT(*) FROM schema_versions"), "2");
  ASSERT_TRUE(migrate(database_, steps_).has_value());
  EXPECT_EQ(one("SELECT COUNT(*) FROM a"), "1");
}

TEST_F(Migrations, AStepThatFailsTakesBackThoseBeforeIt) {
  steps_.push_back({3, "CREATE TABLE b (x BIGINT); SELECT nonsense;"});
  EXPECT_TRUE(migrate(database_, steps_).has_error());
  EXPECT_EQ(one("SELECT COUNT(*) FROM sqlite_master"), "0");
  steps_.pop_back();
  EXPECT_TRUE(migrate(database_, steps_).has_value());
}

TEST_F(Migrations, ANewerSchemaIsNotTouched) {
  ASSERT_TRUE(migrate(database_, steps_).has_value());
  const auto answer = migrate(database_, std::span(steps_).first(1));
  ASSERT_TRUE(answer.has_error());
  EXPECT_NE(answer.error().detail.find("its schema is 2, and this one knows 1"), std::string::npos)
      << answer.error().detail;
}

TEST_F(Migrations, TheLedgersOwnAreNumberedWithoutGaps) {
  int number = 0;
  for (const auto& step : migrations()) EXPECT_EQ(step.number, ++number);
  EXPECT_GT(number, 0);
}

// --- prefixes

TEST(Prefix, MasksToAnyLength) {
  const auto v4 = [](unsigned bits) { return prefix_of(ip("192.0.2.255"), {.prefix_v4 = bits}); };
  EXPECT_EQ(v4(32), "192.0.2.255/32");
  EXPECT_EQ(v4(31), "192.0.2.254/31");
  EXPECT_EQ(v4(24), "192.0.2.0/24");
  EXPECT_EQ(v4(23), "192.0.2.0/23");
  EXPECT_EQ(v4(1), "128.0.0.0/1");
  EXPECT_EQ(v4(0), "0.0.0.0/0");
  const auto v6 = [](unsigned bits) { return prefix_of(ip("2001:db8:ffff:ffff:ffff::1"), {.prefix_v6 = bits}); };
  EXPECT_EQ(v6(128), "2001:db8:ffff:ffff:ffff::1/128");
  EXPECT_EQ(v6(64), "2001:db8:ffff:ffff::/64");
  EXPECT_EQ(v6(60), "2001:db8:ffff:fff0::/60");
  EXPECT_EQ(v6(48), "2001:db8:ffff::/48");
}

}  // namespace
}  // namespace chipgate::ledger
