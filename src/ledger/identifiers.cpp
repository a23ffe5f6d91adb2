// Session identifiers: used once, remembered for ever.
#include "words.hpp"
#include "writing.hpp"

namespace chipgate::ledger {

Result<Issued> issue(Writing& in, const Issue& issue) {
  const auto row = in.sql.row(
      "INSERT INTO identifiers (value, wire, chip_id, issued_at, outcome) VALUES ($1, $2, $3, $4, 'issued') "
      "ON CONFLICT DO NOTHING RETURNING value",
      {issue.session, issue.wire, issue.chip, in.clock.at(issue.at)});
  return row ? Issued::fresh : Issued::taken;
}

Result<void> settle(Writing& in, const SessionIdentifier& session, IdentifierOutcome outcome,
                    const std::optional<IpAddress>& observed) {
  in.sql.run("UPDATE identifiers SET outcome = $2, observed = $3 WHERE value = $1",
             {session, word(outcomes, outcome), observed});
  return {};
}

}  // namespace chipgate::ledger
