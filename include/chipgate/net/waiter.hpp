// Waiter: what a coroutine sleeps on: readiness of its ends, its deadline, or being called off.
#pragma once

#include "chipgate/base/result.hpp"
#include "chipgate/net/shard.hpp"
#include "chipgate/net/task.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

namespace chipgate::net {

// Belongs to one coroutine, which sleeps on it in one place at a time. It watches as many ends as wanted: any event of
// any of them wakes it, and it looks again. Every wait fails once the deadline has passed, the guarded client is gone,
// or somebody has called it off; the reason is the Error.
class Waiter final : public Watcher, private Timer {
 public:
  explicit Waiter(Shard& shard) : shard_(shard) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // From here on waits fail with `late` at this time.
  void deadline(TimePoint at, ErrorKind late);
  void no_deadline();
  // When a client counts as gone: at its reset, or already at its FIN, with nothing left to read before that.
  enum class Gone : std::uint8_t { at_reset, at_end };
  // Waits fail with client_gone once this end is. The end must outlive the guarding.
  void guard(End* client, Gone when = Gone::at_reset);
  // For good: whatever is awaited now or later fails with `why`. The first reason stands.
  void call_off(ErrorKind why);
  std::optional<ErrorKind> called_off() const { return called_off_; }

  // An event, or whatever else the coroutine should look at.
  void wake();

  // Until the next wake. Something may have happened, or nothing.
  Task<Result<void>> sleep();
  Task<Result<void>> sleep_until(TimePoint at);

  // Lets everything else of the shard that is ready have its turn.
  Task<Result<void>> yield();

  // Until bytes came (moved), the peer ended (eof) or the socket failed.
  Task<Result<IoOutcome>> read(End&, std::span<char> into);
  // Until all of it is handed to the kernel (moved), or the socket failed. The text must stay where it is.
  Task<Result<IoOutcome>> write(End&, std::string_view text);
  Task<Result<void>> readable(End&);
  Task<Result<void>> writable(End&);

  Shard& shard() { return shard_; }

 private:
  void on_ready(End&) override { wake(); }
  void on_timer() override;
  Task<Result<void>> until(End&, bool (End::*ready)() const);
  Task<void> suspend();
  std::optional<Error> over();

  Shard& shard_;
  End* guarded_ = nullptr;
  Gone gone_ = Gone::at_reset;
  std::optional<TimePoint> deadline_;
  ErrorKind late_{};  // with a deadline only
  std::optional<ErrorKind> called_off_;
  std::optional<boost::asio::any_completion_handler<void()>> asleep_;
  bool woken_ = false;
};

}  // namespace chipgate::net
