// FaultyDisk: SQLite's way to the disk, which fails when it is told to.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <sqlite3.h>

namespace chipgate::test {

// Stands between SQLite and its usual VFS, for everything that is opened while it lives. One at a time.
class FaultyDisk {
 public:
  enum class Fails : std::uint8_t {
    once,         // the chosen call
    for_good,     // the chosen call and every one after it
    writes_only,  // from the chosen call on every write, as on a full disk
    syncs_only,   // from the chosen call on every sync
  };

  FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;
  ~FaultyDisk();

  // Counting from the next call that changes a file, 1 is the next one. The answer is the SQLite code.
  void fail_at(int call, int code, Fails how);
  void heal() { fail_at(0, SQLITE_OK, Fails::once); }
  // Whether any call was failed.
  bool failed() const { return failed_; }
  int calls() const { return calls_; }
  int syncs() const { return syncs_; }

  // Syncs do not return until they are let go on.
  void hold_syncs();
  void wait_for_held_sync();
  void let_go();

 private:
  enum class Call : std::uint8_t { write, sync };
  struct File;
  static int open(sqlite3_vfs*, const char* name, sqlite3_file*, int flags, int* opened_flags);
  int verdict(Call);
  bool applies(Call, bool chosen) const;
  void stay_held();

  // As SQLite knows it, with the way back.
  struct Vfs : sqlite3_vfs {
    FaultyDisk* disk;
  };

  sqlite3_vfs* real_;
  Vfs vfs_;
  std::atomic<int> calls_{0};
  std::atomic<int> syncs_{0};
  std::atomic<int> fail_at_{0};
  std::atomic<int> code_{SQLITE_OK};
  std::atomic<Fails> how_{Fails::once};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hold_ = false;
  bool held_ = false;
};

}  // namespace chipgate::test
