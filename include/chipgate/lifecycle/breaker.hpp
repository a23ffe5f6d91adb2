// Breaker: what the provider says about the account, or the network about the gateway, concerns every chip at once.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/base/errors.hpp"

#include <cstdint>
#include <optional>

namespace chipgate::lifecycle {

// Pure: times are arguments. Open, it lets one canary through when its time has come, and then waits for what the
// canary brings home.
class Breaker {
 public:
  // Whether the kind is about the account or the gateway as a whole, and says nothing of a session.
  static bool concerns(ErrorKind);

  // Nothing where one may go on, else when to ask again. A permission to go on while it is open is the canary's, and
  // must be followed by failed, succeeded or undecided.
  std::optional<TimePoint> wait(TimePoint now);
  void failed(const Error&, TimePoint now);
  // What came home says neither: one session's bad luck, or another endpoint's turn. The next canary goes as soon as
  // after the last failure.
  void undecided(TimePoint now);
  // Whose permission the last one was; none where nothing has failed.
  enum class Ticket : std::uint32_t { none };
  Ticket ticket() const { return error_ ? canary_ : Ticket::none; }
  // A refused account is asked by one canary alone; beside one that hangs at a gateway that is down another may be
  // sent.
  enum class Company : std::uint8_t { may_have, none };
  Company company() const;
  // That canary never asked: its chip was fenced meanwhile, or this host failed. The next one need not wait for it.
  void called_off(Ticket);
  // Somebody waits for what it keeps back: the next canary goes no later than the first one after a failure does.
  void wanted();
  // true: it was open until now.
  bool succeeded();

  const std::optional<Error>& error() const { return error_; }
  TimePoint retry_at() const { return until_; }

 private:
  std::optional<Error> error_;
  TimePoint heard_{};  // when something last came home
  TimePoint until_{};
  Milliseconds backoff_{0};
  TimePoint canary_until_{};
  Ticket canary_{};
};

}  // namespace chipgate::lifecycle
