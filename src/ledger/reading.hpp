// Rows of the tables as the rest of chipgate sees them. A row that makes no sense fails the transaction.
#pragma once

#include "chipgate/ledger/rows.hpp"
#include "transaction.hpp"

namespace chipgate::ledger {

// The columns that the functions below expect, for SELECT.
inline constexpr std::string_view chip_columns =
    "id, alias, port, connect, arming, created_at, deleted_at, origin, quota_day, quota_month";
inline constexpr std::string_view assignment_columns =
    "id, chip_id, session_identifier, wire_session, provider, endpoint, credentials_digest, instance, state, exit_v4, "
    "exit_v6, assigned_at, verified_at, closing_at, released_at, release_reason, exposure_ms, bytes_up, bytes_down";
inline constexpr std::string_view observation_columns = "id, assignment_id, chip_id, address, at, echo";

std::optional<ChipRow> chip_row(Transaction&, const Row&);
std::optional<AssignmentRow> assignment_row(Transaction&, const Row&);
std::optional<ObservationRow> observation_row(Transaction&, const Row&);

}  // namespace chipgate::ledger
