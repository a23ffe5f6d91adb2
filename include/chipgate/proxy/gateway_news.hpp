// GatewayNews: which of a chip's failures at the gateway are worth telling, and how often.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/base/errors.hpp"

#include <array>
#include <cstddef>

namespace chipgate::proxy {

// True at most once a second.
class OnceASecond {
 public:
  bool ask(TimePoint now);

 private:
  TimePoint last_{};  // the beginning of time for never
};

// One a port, on its shard. A hundred clients fail together where one exit is gone, and one look answers for all.
class GatewayNews {
 public:
  // Whether a client's failure is told now. What concerns the account is told beside anything else of that second.
  bool tells(ErrorKind kind, TimePoint now);

 private:
  static constexpr std::array account_kinds{ErrorKind::provider_auth, ErrorKind::provider_payment,
                                            ErrorKind::provider_rate_limited};

  OnceASecond any_;
  std::array<OnceASecond, account_kinds.size()> account_;
};

}  // namespace chipgate::proxy
