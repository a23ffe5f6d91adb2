// Batches, their order, and how the ledger ends.
#include "unit/ledger/fixture.hpp"
#include "unit/support/faulty_disk.hpp"
#include "unit/support/outside.hpp"

#include <algorithm>

namespace chipgate::ledger {
namespace {

using test::at;
using test::chip;

ChipRow chip_row(const std::string& id, std::string alias = {}) {
  return {.id = chip(id), .alias = std::move(alias), .created_at = at(0)};
}

class WriterTest : public test::LedgerTest {
 protected:
  // The ledger's thread is inside its first commit until the disk lets go.
  std::shared_ptr<std::optional<Result<PutChipAnswer>>> occupy() {
    desk();
    disk_.hold_syncs();
    auto first = desk().start(ledger().put_chip(chip_row("first")));
    desk().control.restart();
    desk().control.poll();
    disk_.wait_for_held_sync();
    return first;
  }
  // Queues them all; they are one batch once the disk lets go.
  void queue(const std::vector<std::string>& ids) {
    for (const auto& id : ids) queued_.push_back(desk().start(ledger().put_chip(chip_row(id, id))));
    desk().control.poll();
  }

  test::FaultyDisk disk_;
  std::vector<std::shared_ptr<std::optional<Result<PutChipAnswer>>>> queued_;
};

TEST_F(WriterTest, WhatIsQueuedMeanwhileIsOneCommit) {
  const auto first = occupy();
  queue({"a", "b", "c", "d", "e", "f", "g", "h"});
  const int before = disk_.syncs();
  disk_.let_go();
  desk().run();
  EXPECT_LE(disk_.syncs() - before, 3) << "of the first, and one for the eight";
  for (const auto& answer : queued_) EXPECT_EQ((*answer)->value().verdict, PutChip::created);
}

TEST_F(WriterTest, CountsWhatWaitsAndWhatWasCommitted) {
  const auto first = occupy();
  queue({"a", "b"});
  const auto before = ledger().writes();
  EXPECT_EQ(before.queued, 3U);
  disk_.let_go();
  desk().run();
  const auto after = ledger().writes();
  EXPECT_EQ(after.queued, 0U);
  EXPECT_EQ(after.commits, before.commits + 2) << "the first, and the two together";
  EXPECT_EQ(after.failures, 0U);
}

TEST_F(WriterTest, NothingIsAnsweredBeforeItsCommit) {
  const auto first = occupy();
  queue({"a"});
  desk().control.poll();
  EXPECT_FALSE(*first);
  EXPECT_FALSE(*queued_.front());
  disk_.let_go();
  desk().run();
  EXPECT_TRUE(*first);
  EXPECT_TRUE(*queued_.front());
}

TEST_F(WriterTest, CountsTransactionsThatFailed) {
  desk();
  test::Outside(options.path)
      .run("CREATE TRIGGER poison BEFORE INSERT ON chips WHEN NEW.id = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END");
  const auto first = occupy();
  queue({"bad"});
  disk_.let_go();
  desk().run();
  EXPECT_EQ(ledger().writes().failures, 1U);
  EXPECT_EQ(ledger().writes().queued, 0U);
}

TEST_F(WriterTest, OneOperationsFailureIsNotTheOthers) {
  desk();
  test::Outside(options.path)
      .run("CREATE TRIGGER poison BEFORE INSERT ON chips WHEN NEW.id = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END");
  const auto first = occupy();
  queue({"a", "bad", "c"});
  disk_.let_go();
  desk().run();
  EXPECT_EQ((*queued_[0])->value().verdict, PutChip::created);
  ASSERT_TRUE((*queued_[1])->has_error());
  EXPECT_EQ((*queued_[1])->error().kind, ErrorKind::ledger_unavailable);
  EXPECT_NE((*queued_[1])->error().detail.find("no"), std::string::npos);
  EXPECT_EQ((*queued_[2])->value().verdict, PutChip::created);
  reopen();
  EXPECT_EQ(desk().restored.chips.size(), 3U);
}

TEST_F(WriterTest, OperationsOfABatchSeeEachOtherInTheirOrder) {
  const auto first = occupy();
  queue({"a"});
  const auto again = desk().start(ledger().put_chip(chip_row("a", "a")));
  const auto taken = desk().start(ledger().put_chip(chip_row("b", "a")));
  desk().control.poll();
  disk_.let_go();
  desk().run();
  EXPECT_EQ((*queued_[0])->value().verdict, PutChip::created);
  EXPECT_EQ((*again)->value().verdict, PutChip::unchanged);
  EXPECT_EQ((*taken)->value().verdict, PutChip::alias_taken);
}

net::Task<Result<void>> note(Ledger& ledger, int number, std::vector<int>& order) {
  EventRow event{.at = at(number), .type = "n"};
  const auto done = co_await ledger.append(std::move(event));
  order.push_back(number);
  if (done.has_error()) co_return done.error();
  co_return Result<void>();
}

TEST_F(WriterTest, AnswersComeInTheOrderOfTheQuestions) {
  std::vector<int> order;
  std::vector<int> wanted;
  for (int i = 0; i < 200; ++i) {
    desk().start(note(ledger(), i, order));
    wanted.push_back(i);
  }
  desk().run();
  EXPECT_EQ(order, wanted);
  const auto events = wait(ledger().events({})).value();
  ASSERT_EQ(events.size(), 200U);
  EXPECT_TRUE(std::ranges::is_sorted(events, {}, &EventRow::at));
}

TEST_F(WriterTest, EndingFinishesWhatIsQueued) {
  const auto first = occupy();
  queue({"a", "b"});
  disk_.let_go();
  desk().ledger.reset();
  desk().run();
  for (const auto& answer : queued_) EXPECT_EQ((*answer)->value().verdict, PutChip::created);
  reopen();
  EXPECT_EQ(desk().restored.chips.size(), 3U);
}

// The answers were posted, and the frames that wait for them go with the io_context.
TEST_F(WriterTest, CoroutinesThatNobodyResumesAnyMoreEndWithTheirContext) {
  const auto first = occupy();
  queue({"a", "b"});
  disk_.let_go();
  const auto watch = std::weak_ptr(queued_.front());
  queued_.clear();
  stop();
  EXPECT_TRUE(watch.expired());
  EXPECT_FALSE(*first);
  EXPECT_EQ(desk().restored.chips.size(), 3U);
}

TEST_F(WriterTest, TheLoopRunsAsLongAsSomebodyWaits) {
  const auto first = occupy();
  EXPECT_FALSE(desk().control.stopped());
  EXPECT_EQ(desk().control.poll(), 0U);
  EXPECT_FALSE(desk().control.stopped()) << "it has work";
  disk_.let_go();
  desk().run();
  EXPECT_TRUE(desk().control.stopped());
}

}  // namespace
}  // namespace chipgate::ledger
