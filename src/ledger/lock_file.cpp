// flock, and a few lines of text.
#include "lock_file.hpp"

#include "chipgate/base/ascii.hpp"
#include "value.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <sys/file.h>

namespace chipgate::ledger {
namespace {

// Written in one piece over what was there, padded to this size, so that it is never seen half.
constexpr std::size_t record_size = 512;

std::string read_record(int fd) {
  std::array<char, record_size> buffer{};
  const auto size = ::pread(fd, buffer.data(), buffer.size(), 0);
  return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
}

// "name value" lines.
std::string field(const std::string& record, const std::string& name) {
  std::istringstream lines(record);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + " ")) return line.substr(name.size() + 1);
  }
  return {};
}

std::optional<Memory> parse(const std::string& record) {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto id = field(record, "ledger");
  const auto assignments = parse_decimal(field(record, "assignments"), largest);
  const auto last_written = parse_decimal(field(record, "last_written_us"), largest);
  if (id.empty() || !assignments || !last_written) return std::nullopt;
  return Memory{id, *assignments, from_microseconds(static_cast<std::int64_t>(*last_written))};
}

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  throw std::runtime_error("cannot lock the ledger: " + path.string() + ": " + std::strerror(error));
}

}  // namespace

LockFile::LockFile(const std::filesystem::path& ledger, std::string instance) : instance_(std::move(instance)) {
  const auto path = ledger.string() + ".lock";
  fd_ = net::UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd_) fail(path, errno);
  if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error != EWOULDBLOCK) fail(path, error);
    const auto record = read_record(fd_.get());
    throw std::runtime_error("the ledger " + ledger.string() + " is in use by another chipgate (pid " +
                             field(record, "pid") + ", instance " + field(record, "instance") +
                             "): one ledger serves one process");
  }
  memory_ = parse(read_record(fd_.get()));
  remember(memory_.value_or(Memory{}));
}

void LockFile::remember(const Memory& memory) {
  std::string record = "pid " + std::to_string(::getpid()) + "\ninstance " + instance_.substr(0, 128) + "\n";
  if (!memory.ledger_id.empty()) {
    record += "ledger " + memory.ledger_id + "\nassignments " + std::to_string(memory.assignments) +
              "\nlast_written_us " + std::to_string(microseconds(memory.last_written)) + "\n";
  }
  record.resize(record_size, '\n');
  // What cannot be written is only not remembered; the ledger itself tells of a full disk.
  static_cast<void>(::pwrite(fd_.get(), record.data(), record.size(), 0));
}

}  // namespace chipgate::ledger
