// Sleeping and waking.
#include "chipgate/net/waiter.hpp"

#include <boost/asio/async_result.hpp>

namespace chipgate::net {

void Waiter::deadline(TimePoint at, ErrorKind late) {
  deadline_ = at;
  late_ = late;
  shard_.timers().arm(*this, at);
}

void Waiter::no_deadline() {
  deadline_.reset();
  shard_.timers().disarm(*this);
}

void Waiter::guard(End* client, Gone when) {
  guarded_ = client;
  gone_ = when;
  if (client != nullptr) client->watch(this);
}

void Waiter::call_off(ErrorKind why) {
  if (!called_off_) called_off_ = why;
  wake();
}

// By post, never in place: whoever wakes may be walking a list that the coroutine is about to change. A wake without a
// sleeper is remembered, since the coroutine may be on its way to sleep after having looked.
void Waiter::wake() {
  if (!asleep_) {
    woken_ = true;
    return;
  }
  // any_completion_handler recurses without end when assigned, so it is moved out and the optional emptied.
  auto handler = std::move(*asleep_);
  asleep_.reset();
  boost::asio::post(shard_.context(), std::move(handler));
}

void Waiter::on_timer() { wake(); }

Task<void> Waiter::suspend() {
  if (woken_) {
    woken_ = false;
    co_return;
  }
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<boost::asio::io_context::executor_type>,
                                       void()>([this](auto handler) { asleep_.emplace(std::move(handler)); }, use_task);
  woken_ = false;
}

std::optional<Error> Waiter::over() {
  if (called_off_) return Error{*called_off_};
  if (guarded_ != nullptr && (guarded_->broken() || (gone_ == Gone::at_end && guarded_->drained()))) {
    return Error{ErrorKind::client_gone};
  }
  // The clock decides, not the timer: both may be due in the same instant.
  if (deadline_ && Clock::now() >= *deadline_) return Error{late_};
  return std::nullopt;
}

Task<Result<void>> Waiter::sleep() {
  if (auto reason = over()) co_return std::move(*reason);
  co_await suspend();
  if (auto reason = over()) co_return std::move(*reason);
  co_return Result<void>();
}

Task<Result<void>> Waiter::sleep_until(TimePoint at) {
  const auto late = late_;
  const auto before = deadline_;
  if (!before || at < *before) shard_.timers().arm(*this, at);
  while (Clock::now() < at) {
    const auto slept = co_await sleep();
    if (slept.has_error()) co_return slept.error();
    if (!armed() && Clock::now() < at) shard_.timers().arm(*this, at);
  }
  if (before) {
    deadline(*before, late);
  } else {
    no_deadline();
  }
  co_return Result<void>();
}

// By a real post: the handlers that wait, the timers and the set all come before it.
Task<Result<void>> Waiter::yield() {
  co_await boost::asio::post(shard_.context(), use_task);
  if (auto reason = over()) co_return std::move(*reason);
  co_return Result<void>();
}

Task<Result<void>> Waiter::readable(End& end) { return until(end, &End::readable); }
Task<Result<void>> Waiter::writable(End& end) { return until(end, &End::writable); }

Task<Result<void>> Waiter::until(End& end, bool (End::*ready)() const) {
  end.watch(this);
  if (auto reason = over()) co_return std::move(*reason);
  while (!(end.*ready)()) {
    co_await suspend();
    if (auto reason = over()) co_return std::move(*reason);
  }
  co_return Result<void>();
}

Task<Result<IoOutcome>> Waiter::read(End& end, std::span<char> into) {
  for (;;) {
    const auto ready = co_await readable(end);
    if (ready.has_error()) co_return ready.error();
    const auto outcome = end.read(into);
    if (outcome.status != IoStatus::would_block) co_return outcome;
  }
}

Task<Result<IoOutcome>> Waiter::write(End& end, std::string_view text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const auto ready = co_await writable(end);
    if (ready.has_error()) co_return ready.error();
    const auto outcome = end.write(text.substr(written));
    if (outcome.status == IoStatus::failed) co_return outcome;
    if (outcome.status == IoStatus::moved) written += outcome.bytes;
  }
  co_return IoOutcome{IoStatus::moved, written};
}

}  // namespace chipgate::net
