// From a path to a ledger that serves.
#include "chipgate/ledger/open.hpp"

#include "migrations.hpp"
#include "restore.hpp"
#include "sqlite_ledger.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace chipgate::ledger {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path, const std::string& why) {
  throw std::runtime_error("cannot open the ledger " + path.string() + ": " + why);
}

template <class T>
T or_refuse(const fs::path& path, Result<T> result) {
  if (result.has_error()) refuse(path, result.error().detail);
  return std::move(*result);
}

void or_refuse(const fs::path& path, const Result<void>& result) {
  if (result.has_error()) refuse(path, result.error().detail);
}

// One file has one lock, whatever links lead to it.
fs::path real_path(const fs::path& path) {
  std::error_code error;
  // Without a folder of its own, the name of a file that is not there yet would stay as it is.
  const auto whole = fs::absolute(path);
  const auto folder = whole.parent_path();
  if (!fs::is_directory(folder, error)) refuse(path, "there is no folder " + folder.string());
  const auto real = fs::weakly_canonical(whole, error);
  if (error) refuse(path, error.message());
  return real;
}

// The file exists before SQLite opens it, for nobody else to read: SQLite gives its companions the same mode.
void create_file(const fs::path& path) {
  const net::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd || ::fchmod(fd.get(), 0600) != 0) refuse(path, std::strerror(errno));
  const net::UniqueFd folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) refuse(path, std::strerror(errno));
}

void check(const fs::path& path, Database& database) {
  const auto rows = or_refuse(path, database.run("PRAGMA quick_check(1)"));
  if (rows.empty() || rows.front().text(0) != "ok") {
    refuse(path, "it is damaged: " + (rows.empty() ? std::string("no answer") : rows.front().text(0)));
  }
}

Database open_for_writing(const fs::path& path) {
  auto database = or_refuse(path, Database::open(path, Access::read_write));
  const auto mode = or_refuse(path, database.run("PRAGMA journal_mode = WAL"));
  if (mode.empty() || mode.front().text(0) != "wal") refuse(path, "its file system does not carry SQLite's WAL");
  check(path, database);
  or_refuse(path, migrate(database, migrations()));
  return database;
}

Restored settle_and_restore(const fs::path& path, Database& database, const LedgerOptions& options) {
  const auto now = std::chrono::system_clock::now();
  Transaction in(database, Transaction::Mode::write);
  settle_in(in, options, now);
  auto restored = restore(in, now);
  or_refuse(path, in.commit());
  return restored;
}

// A copy that was put back is an earlier state: sessions that were used since would be used again.
std::optional<Lost> lost(const std::optional<Memory>& memory, const Restored& restored) {
  if (!memory) return std::nullopt;
  if (memory->ledger_id == restored.ledger_id && memory->last_written <= restored.last_written) return std::nullopt;
  return Lost{memory->ledger_id, memory->last_written, memory->assignments};
}

}  // namespace

Opened open_ledger(LedgerOptions options, boost::asio::io_context& control, std::string instance) {
  const auto path = real_path(options.path);
  LockFile lock(path, std::move(instance));
  create_file(path);
  auto writing = open_for_writing(path);
  auto restored = settle_and_restore(path, writing, options);
  auto reading = or_refuse(path, Database::open(path, Access::read_only));
  restored.lost = lost(lock.memory(), restored);
  lock.remember({restored.ledger_id, restored.assignments, restored.last_written});
  auto ledger =
      std::make_unique<SqliteLedger>(SqliteLedger::Parts{std::move(options), restored.ledger_id, restored.last_written,
                                                         std::move(lock), std::move(writing), std::move(reading)},
                                     control);
  return {std::move(ledger), std::move(restored)};
}

}  // namespace chipgate::ledger
