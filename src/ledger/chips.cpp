// Chips: made, changed, armed, deleted.
#include "words.hpp"
#include "writing.hpp"

namespace chipgate::ledger {
namespace {

// Whose the port or the alias is that another chip wants.
PutChipAnswer taken(Transaction& sql, const ChipRow& chip) {
  if (const auto holder =
          sql.row("SELECT id FROM chips WHERE deleted_at IS NULL AND port = $1 AND port <> 0 AND id <> $2",
                  {chip.port, chip.id})) {
    return {PutChip::port_taken, holder->text(0)};
  }
  const auto holder =
      sql.row("SELECT id FROM chips WHERE deleted_at IS NULL AND alias = $1 AND alias <> '' AND id <> $2",
              {chip.alias, chip.id});
  return {PutChip::alias_taken, holder ? holder->text(0) : std::string()};
}

PutChipAnswer create(Writing& in, const ChipRow& chip) {
  const auto made = in.sql.row(
      "INSERT INTO chips (id, alias, port, connect, arming, created_at, origin, quota_day, quota_month) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
      "ON CONFLICT DO NOTHING RETURNING id",
      {chip.id, chip.alias, chip.port, word(connect_modes, chip.connect), word(armings, chip.arming),
       in.clock.at(chip.created_at), word(origins, chip.origin), chip.quota.day, chip.quota.month});
  return made ? PutChipAnswer{PutChip::created} : taken(in.sql, chip);
}

// UPDATE knows no ON CONFLICT, so what stands in the way is part of its condition.
PutChipAnswer change(Writing& in, const ChipRow& chip) {
  const auto changed = in.sql.row(
      "UPDATE chips SET alias = $2, port = $3, connect = $4, origin = $5, quota_day = $6, quota_month = $7, arming = "
      "$8 "
      "WHERE deleted_at IS NULL AND id = $1 AND NOT EXISTS "
      "(SELECT 1 FROM chips other WHERE other.deleted_at IS NULL AND other.id <> $1 "
      "AND ((other.port = $3 AND $3 <> 0) OR (other.alias = $2 AND $2 <> ''))) RETURNING id",
      {chip.id, chip.alias, chip.port, word(connect_modes, chip.connect), word(origins, chip.origin), chip.quota.day,
       chip.quota.month, word(armings, chip.arming)});
  return changed ? PutChipAnswer{PutChip::changed} : taken(in.sql, chip);
}

}  // namespace

Result<PutChipAnswer> put_chip(Writing& in, const ChipRow& chip) {
  const auto row = in.sql.row(
      "SELECT alias, port, connect, origin, quota_day, quota_month, arming FROM chips WHERE id = $1 AND deleted_at IS "
      "NULL",
      {chip.id});
  if (!row) return create(in, chip);
  const bool same_place = row->text(0) == chip.alias && row->number(1) == chip.port;
  const bool same_rules = row->text(2) == word(connect_modes, chip.connect) &&
                          row->text(3) == word(origins, chip.origin) && row->text(6) == word(armings, chip.arming);
  if (same_place && same_rules && chip.quota == Quota{row->count(4), row->count(5)}) {
    return PutChipAnswer{PutChip::unchanged};
  }
  return change(in, chip);
}

Result<bool> arm(Writing& in, const ChipId& chip, Arming arming) {
  return in.sql
      .row("UPDATE chips SET arming = $2 WHERE id = $1 AND deleted_at IS NULL RETURNING id",
           {chip, word(armings, arming)})
      .has_value();
}

Result<void> delete_chip(Writing& in, const ChipId& chip, WallTime at) {
  in.sql.run("UPDATE chips SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL", {chip, in.clock.at(at)});
  return {};
}

}  // namespace chipgate::ledger
