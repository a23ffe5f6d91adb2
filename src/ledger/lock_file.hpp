// LockFile: keeps a second process off the ledger, and remembers what the ledger was.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/net/unique_fd.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace chipgate::ledger {

// What stood in the ledger the last time that this was written: as the process before this one started or ended.
struct Memory {
  std::string ledger_id;
  std::uint64_t assignments = 0;
  WallTime last_written{};
};

// "<ledger>.lock". It is locked, not merely there, so that it means nothing once its process is gone; it stays behind,
// since removing it would let two processes lock two files of that name.
class LockFile {
 public:
  // Throws std::runtime_error: another process has it, or it cannot be made.
  LockFile(const std::filesystem::path& ledger, std::string instance);

  const std::optional<Memory>& memory() const { return memory_; }
  void remember(const Memory&);

 private:
  std::string instance_;
  net::UniqueFd fd_;
  std::optional<Memory> memory_;
};

}  // namespace chipgate::ledger
