// Columns to rows.
#include "reading.hpp"

#include "words.hpp"

namespace chipgate::ledger {
namespace {

std::nullopt_t malformed(Transaction& sql, std::string_view table, const Row& row) {
  const auto name = row.text(0).empty() ? std::to_string(row.number(0)) : row.text(0);
  sql.fail("row " + name + " of " + std::string(table) + " is malformed");
  return std::nullopt;
}

}  // namespace

std::optional<ChipRow> chip_row(Transaction& sql, const Row& row) {
  const auto id = row.chip(0);
  const auto connect = meaning(connect_modes, row.text(3));
  const auto arming = meaning(armings, row.text(4));
  const auto origin = meaning(origins, row.text(7));
  if (!id || !connect || !arming || !origin) return malformed(sql, "chips", row);
  return ChipRow{.id = *id,
                 .alias = row.text(1),
                 .port = static_cast<std::uint16_t>(row.number(2)),
                 .connect = *connect,
                 .arming = *arming,
                 .origin = *origin,
                 .quota = {row.count(8), row.count(9)},
                 .created_at = row.time(5),
                 .deleted_at = row.optional_time(6)};
}

std::optional<AssignmentRow> assignment_row(Transaction& sql, const Row& row) {
  const auto chip = row.chip(1);
  const auto state = meaning(states, row.text(8));
  const Exits exits{row.address(9), row.address(10)};
  const bool lost_exit = row.null(9) == exits.v4.has_value() || row.null(10) == exits.v6.has_value();
  if (!chip || !state || lost_exit) return malformed(sql, "assignments", row);
  return AssignmentRow{.id = AssignmentId(row.number(0)),
                       .chip = *chip,
                       .session = SessionIdentifier(row.text(2)),
                       .wire = WireSession(row.text(3)),
                       .provider = row.text(4),
                       .endpoint = row.text(5),
                       .credentials_digest = row.text(6),
                       .instance = row.text(7),
                       .state = *state,
                       .exits = exits,
                       .assigned_at = row.time(11),
                       .verified_at = row.time(12),
                       .closing_at = row.optional_time(13),
                       .released_at = row.optional_time(14),
                       .release_reason = row.text(15),
                       .exposure = row.optional_duration(16),
                       .traffic = {row.count(17), row.count(18)}};
}

std::optional<ObservationRow> observation_row(Transaction& sql, const Row& row) {
  const auto chip = row.chip(2);
  const auto address = row.address(3);
  if (!chip || !address) return malformed(sql, "observations", row);
  return ObservationRow{.id = row.number(0),
                        .assignment = AssignmentId(row.number(1)),
                        .chip = *chip,
                        .address = *address,
                        .at = row.time(4),
                        .echo = row.text(5)};
}

}  // namespace chipgate::ledger
