// Keeping and writing the origin log.
#include "sim/log.hpp"

#include "sim/json.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace chipgate::sim {
namespace {

// Enough to tell whose bytes they are.
constexpr std::size_t payload_prefix = 64;

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, payload_prefix)) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::uint64_t unix_milliseconds(WallTime at) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<Milliseconds>(at.time_since_epoch()).count());
}

}  // namespace

std::string_view name(LogEvent event) {
  switch (event) {
    case LogEvent::opened: return "opened";
    case LogEvent::in: return "in";
    case LogEvent::out: return "out";
    case LogEvent::eof: return "eof";
    case LogEvent::reset: return "reset";
    case LogEvent::closed: return "closed";
  }
  return {};
}

std::string json_of(const LogEntry& entry) {
  JsonWriter json;
  json.number("seq", entry.seq)
      .number("ms", unix_milliseconds(entry.at))
      .text("event", name(entry.event))
      .text("source", entry.who->source.text())
      .text("target", entry.who->target)
      .text("session", entry.who->session)
      .number("connection", entry.who->connection)
      .number("bytes", entry.bytes);
  if (!entry.payload_hex.empty()) json.text("payload", entry.payload_hex);
  return json.done();
}

OriginLog::OriginLog(const SimulatorOptions& options)
    : kept_(std::max<std::size_t>(options.log_entries, 1)), payload_(options.log_payload) {
  if (options.log_file.empty()) return;
  file_.open(options.log_file, std::ios::app);
  if (!file_) throw std::runtime_error("cannot write the origin log " + options.log_file);
}

void OriginLog::add(const std::shared_ptr<const Seen>& who, LogEvent event, std::string_view bytes) {
  LogEntry entry{++seq_, std::chrono::system_clock::now(), event, bytes.size(), {}, who};
  if (payload_) entry.payload_hex = hex(bytes);
  // Flushed where a connection begins or ends, so that a reader of the file sees whole connections.
  if (file_.is_open()) {
    file_ << json_of(entry) << '\n';
    if (event != LogEvent::in && event != LogEvent::out) file_.flush();
  }
  entries_.push_back(std::move(entry));
  if (entries_.size() > kept_) entries_.pop_front();
}

std::vector<LogEntry> OriginLog::since(std::uint64_t seq, std::size_t limit) const {
  const auto first = std::ranges::upper_bound(entries_, seq, {}, &LogEntry::seq);
  const auto count = std::min(limit, static_cast<std::size_t>(entries_.end() - first));
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace chipgate::sim
