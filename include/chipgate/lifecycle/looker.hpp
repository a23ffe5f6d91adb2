// Looker: which address targets see, asked through a chip's own session.
#pragma once

#include "chipgate/lifecycle/chip.hpp"
#include "chipgate/lifecycle/parts.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace chipgate::lifecycle {

struct Verdict {
  LookVerdict what = LookVerdict::unknown;
  std::optional<IpAddress> address{};  // of same and other
  std::string echo{};                  // who said so last
  std::optional<Error> error{};        // of unknown
};

class Looker {
 public:
  explicit Looker(const Parts& parts) : parts_(parts) {}

  // The exits of a session that was just drawn. The first family that is looked at must answer; of the other one an
  // answer is taken where there is one. An error is the last echo's.
  net::Task<Result<ledger::Exits>> exits(ChipPtr chip, gateway::RoutePtr route);
  // Whether the session still leaves by what is known of it. *Other* only where two echoes said so.
  net::Task<Verdict> verify(ChipPtr chip, gateway::RoutePtr route, ledger::Exits known);

  // Whether there is an echo that could say so, in a family of these exits.
  bool sees(const ledger::Exits& exits) const;

 private:
  using Echoes = std::vector<protocol::HttpUrl>;
  struct Answer {
    Result<IpAddress> address;
    std::string echo;
  };
  struct Asking;
  // Echoes by value: a reload may name others meanwhile. One after the other, beginning with the next in turn, until
  // one answers. Where somebody waits for it the next does not wait for one that hangs.
  net::Task<Answer> ask(ChipPtr chip, gateway::RoutePtr route, Echoes echoes, std::size_t tries);
  // One of them. What comes after the question is over only counts as traffic.
  net::Task<void> ask_one(ChipPtr chip, gateway::RoutePtr route, protocol::HttpUrl echo,
                          std::shared_ptr<Asking> asking);
  bool may_ask_beside(const Chip& chip, TimePoint now) const;
  net::Task<Verdict> verify_family(ChipPtr chip, gateway::RoutePtr route, ledger::Exits known, Echoes echoes);

  const Parts& parts_;
  std::size_t turn_ = 0;
};

}  // namespace chipgate::lifecycle
