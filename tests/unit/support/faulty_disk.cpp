// A VFS around a VFS.
#include "unit/support/faulty_disk.hpp"

#include <new>

namespace chipgate::test {

// The real file's memory follows it.
struct FaultyDisk::File : sqlite3_file {
  FaultyDisk* disk;

  static File& of(sqlite3_file* file) { return *static_cast<File*>(file); }
  static sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(&of(file) + 1); }
  static const sqlite3_io_methods& methods_of(sqlite3_file* file) { return *real(file)->pMethods; }

  static int close(sqlite3_file* f) { return methods_of(f).xClose(real(f)); }
  static int read(sqlite3_file* f, void* into, int size, sqlite3_int64 at) {
    return methods_of(f).xRead(real(f), into, size, at);
  }
  static int write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
    const int code = of(f).disk->verdict(Call::write);
    return code != SQLITE_OK ? code : methods_of(f).xWrite(real(f), from, size, at);
  }
  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    const int code = of(f).disk->verdict(Call::write);
    return code != SQLITE_OK ? code : methods_of(f).xTruncate(real(f), size);
  }
  static int sync(sqlite3_file* f, int flags) {
    of(f).disk->stay_held();
    const int code = of(f).disk->verdict(Call::sync);
    return code != SQLITE_OK ? code : methods_of(f).xSync(real(f), flags);
  }
  static int size(sqlite3_file* f, sqlite3_int64* size) { return methods_of(f).xFileSize(real(f), size); }
  static int lock(sqlite3_file* f, int level) { return methods_of(f).xLock(real(f), level); }
  static int unlock(sqlite3_file* f, int level) { return methods_of(f).xUnlock(real(f), level); }
  static int reserved(sqlite3_file* f, int* out) { return methods_of(f).xCheckReservedLock(real(f), out); }
  static int control(sqlite3_file* f, int op, void* arg) { return methods_of(f).xFileControl(real(f), op, arg); }
  static int sector(sqlite3_file* f) { return methods_of(f).xSectorSize(real(f)); }
  static int device(sqlite3_file* f) { return methods_of(f).xDeviceCharacteristics(real(f)); }
  static int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
    return methods_of(f).xShmMap(real(f), page, size, extend, out);
  }
  static int shm_lock(sqlite3_file* f, int at, int count, int flags) {
    return methods_of(f).xShmLock(real(f), at, count, flags);
  }
  static void shm_barrier(sqlite3_file* f) { methods_of(f).xShmBarrier(real(f)); }
  static int shm_unmap(sqlite3_file* f, int remove) { return methods_of(f).xShmUnmap(real(f), remove); }
  static int fetch(sqlite3_file* f, sqlite3_int64 at, int size, void** out) {
    return methods_of(f).xFetch(real(f), at, size, out);
  }
  static int unfetch(sqlite3_file* f, sqlite3_int64 at, void* page) {
    return methods_of(f).xUnfetch(real(f), at, page);
  }

  static constexpr sqlite3_io_methods methods{3,        close,       read,      write,   truncate, sync,   size,
                                              lock,     unlock,      reserved,  control, sector,   device, shm_map,
                                              shm_lock, shm_barrier, shm_unmap, fetch,   unfetch};
};

FaultyDisk::FaultyDisk() : real_(sqlite3_vfs_find(nullptr)), vfs_{*real_, this} {
  vfs_.zName = "faulty";
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
  vfs_.pNext = nullptr;
  vfs_.xOpen = open;
  sqlite3_vfs_register(&vfs_, 1);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(&vfs_);
  sqlite3_vfs_register(real_, 1);
}

int FaultyDisk::open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* opened_flags) {
  auto* disk = static_cast<Vfs*>(vfs)->disk;
  auto* made = new (file) File;
  made->pMethods = nullptr;
  made->disk = disk;
  File::real(file)->pMethods = nullptr;
  const int code = disk->real_->xOpen(disk->real_, name, File::real(file), flags, opened_flags);
  if (File::real(file)->pMethods != nullptr) made->pMethods = &File::methods;
  return code;
}

void FaultyDisk::fail_at(int call, int code, Fails how) {
  how_ = how;
  code_ = code;
  failed_ = false;
  calls_ = 0;
  fail_at_ = call;
}

int FaultyDisk::verdict(Call call) {
  const int number = ++calls_;
  if (call == Call::sync) ++syncs_;
  const int chosen = fail_at_;
  if (chosen == 0 || number < chosen || !applies(call, number == chosen)) return SQLITE_OK;
  failed_ = true;
  return code_;
}

bool FaultyDisk::applies(Call call, bool chosen) const {
  switch (how_.load()) {
    case Fails::once: return chosen;
    case Fails::for_good: return true;
    case Fails::writes_only: return call == Call::write;
    case Fails::syncs_only: return call == Call::sync;
  }
  return false;
}

void FaultyDisk::hold_syncs() {
  const std::lock_guard lock(mutex_);
  hold_ = true;
  held_ = false;
}

void FaultyDisk::stay_held() {
  std::unique_lock lock(mutex_);
  if (!hold_) return;
  held_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return !hold_; });
}

void FaultyDisk::wait_for_held_sync() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return held_; });
}

void FaultyDisk::let_go() {
  {
    const std::lock_guard lock(mutex_);
    hold_ = false;
  }
  changed_.notify_all();
}

}  // namespace chipgate::test
