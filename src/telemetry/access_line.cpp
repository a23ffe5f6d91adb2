// What an access line says, in which order.
#include "chipgate/telemetry/access_line.hpp"

#include <array>
#include <chrono>
#include <vector>

namespace chipgate::telemetry {
namespace {

constexpr std::array stage_keys{
    std::pair{Stage::head, "head_seconds"},       std::pair{Stage::hold, "hold_seconds"},
    std::pair{Stage::connect, "connect_seconds"}, std::pair{Stage::tls, "tls_seconds"},
    std::pair{Stage::reply, "reply_seconds"},
};
static_assert(stage_keys.size() == stage_count);

// Finer is noise, and makes the line longer.
LogValue seconds(Clock::duration duration) { return std::chrono::round<std::chrono::microseconds>(duration); }

// Fields of one line; what is empty is not added.
class Fields {
 public:
  Fields() { fields_.reserve(20); }
  void add(std::string_view key, LogValue value) { fields_.push_back({key, value}); }
  void add_text(std::string_view key, std::string_view text) {
    if (!text.empty()) add(key, text);
  }
  void add_time(std::string_view key, Clock::duration duration) {
    if (duration != Clock::duration::zero()) add(key, seconds(duration));
  }
  std::span<const LogField> all() const { return fields_; }

 private:
  std::vector<LogField> fields_;
};

}  // namespace

void write(Log& log, const AccessLine& line) {
  if (log.access_lines() == AccessLines::off || !log.enabled(LogLevel::info)) return;
  const bool established = line.outcome == Outcome::established;
  const std::string exit_ip = line.exit_ip ? line.exit_ip->text() : std::string();
  Fields fields;
  fields.add_text("chip", line.chip);
  fields.add_text("session", line.session);
  fields.add_text("protocol", line.protocol);
  fields.add_text("target", line.target);
  fields.add_text("endpoint", line.endpoint);
  fields.add_text("exit_ip", exit_ip);
  if (established) {
    fields.add("bytes_up", line.bytes_up);
    fields.add("bytes_down", line.bytes_down);
  }
  for (const auto& [stage, key] : stage_keys) fields.add_time(key, line.stages[stage]);
  fields.add_time("open_seconds", line.open);
  fields.add("ended", line.ended);
  fields.add("fault", name(info(line.ended).fault));
  fields.add_text("detail", line.detail);
  if (!established) fields.add_text("hint", hint(line.ended));
  log.write(LogLevel::info, established ? "tunnel" : "refused", fields.all());
}

}  // namespace chipgate::telemetry
