// Reading, writing and ending a socket from a coroutine.
#include "sim/leg.hpp"

#include "sim/world.hpp"

namespace chipgate::sim {
namespace {

constexpr std::chrono::seconds gentle_close{1};

void tell_end(const Leg& leg, const net::IoOutcome& outcome) {
  if (leg.tap == nullptr) return;
  if (outcome.status == net::IoStatus::eof) leg.tap->ended();
  if (outcome.status == net::IoStatus::failed) leg.tap->broke();
}

}  // namespace

net::Task<bool> fill(Connection& connection, Leg& leg) {
  auto& scratch = connection.world().scratch;
  const auto outcome = co_await connection.waiter().read(*leg.end, scratch);
  if (outcome.has_error()) co_return false;
  if (outcome->status != net::IoStatus::moved) {
    tell_end(leg, *outcome);
    co_return false;
  }
  const std::string_view bytes(scratch.data(), outcome->bytes);
  if (leg.tap != nullptr) leg.tap->came(bytes);
  leg.inbox += bytes;
  co_return true;
}

net::Task<bool> send(Connection& connection, Leg& leg, std::string_view text) {
  while (!text.empty()) {
    const auto ready = co_await connection.waiter().writable(*leg.end);
    if (ready.has_error()) co_return false;
    const auto outcome = leg.end->write(text);
    if (outcome.status == net::IoStatus::failed) {
      tell_end(leg, outcome);
      co_return false;
    }
    if (outcome.status != net::IoStatus::moved) continue;
    if (leg.tap != nullptr) leg.tap->went(text.substr(0, outcome.bytes));
    text.remove_prefix(outcome.bytes);
  }
  co_return true;
}

// With TCP_NODELAY every write is a segment; the pause keeps the receiver from reading two at once.
net::Task<bool> send_split(Connection& connection, Leg& leg, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool sent = co_await send(connection, leg, text.substr(i, 1));
    if (!sent) co_return false;
    const bool paused = co_await pause(connection, Milliseconds(1));
    if (!paused) co_return false;
  }
  co_return true;
}

net::Task<bool> shake_hands(Connection& connection, Leg& leg, net::TlsSession session) {
  using Step = net::TlsSession::Step;
  if (!session) co_return false;
  leg.end->wrap(std::move(session));
  for (;;) {
    const auto step = leg.end->handshake();
    if (step == Step::done) co_return true;
    if (step == Step::failed) co_return false;
    auto& waiter = connection.waiter();
    const auto ready =
        step == Step::want_read ? co_await waiter.readable(*leg.end) : co_await waiter.writable(*leg.end);
    if (ready.has_error()) co_return false;
  }
}

net::Task<bool> pause(Connection& connection, Milliseconds time) {
  const auto slept = co_await connection.waiter().sleep_until(Clock::now() + time);
  co_return slept.has_value();
}

net::Task<void> drop_until_end(Connection& connection, Leg& leg) {
  for (;;) {
    leg.inbox.clear();
    const bool more = co_await fill(connection, leg);
    if (!more) co_return;
  }
}

net::Task<void> close_gently(Connection& connection, Leg& leg) {
  leg.end->shut_write();
  connection.waiter().deadline(Clock::now() + gentle_close, ErrorKind::half_closed_timeout);
  co_await drop_until_end(connection, leg);
  leg.end.reset();
}

void close_at_once(Leg& leg, CloseHow how) {
  if (!leg.end) return;
  if (how == CloseHow::rst) {
    net::reset(std::move(leg.end));
  } else {
    leg.end.reset();
  }
}

}  // namespace chipgate::sim
