"""What is left when everything has ended: the origin log and the ledger's file, read without chipgate."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

from evidence import NAMELESS, Assignment, Heard, Identifier, Violation

# What clients.py writes, by either way.
WORD = re.compile(rb"^(c\d+) ([0-9a-f]{8})\n|^GET /(c\d+)/([0-9a-f]{8}) ")


def heard(log: Path, looks: set[str]) -> tuple[list[Heard], list[Violation]]:
    """Every chunk that an origin read, and those that nobody can have sent. `looks` are the targets of looks."""
    found: list[Heard] = []
    strange: list[Violation] = []
    with log.open() as lines:
        for line in lines:
            entry = json.loads(line)
            if entry["event"] != "in":
                continue
            chip, nonce = None, ""
            if entry["target"] not in looks:
                word = WORD.match(bytes.fromhex(entry.get("payload", "")))
                if word:
                    chip, nonce = (part.decode() for part in word.groups() if part is not None)
                else:
                    strange.append(Violation(NAMELESS, str(entry)))
            found.append(Heard(entry["ms"] / 1000, entry["source"], entry["session"], entry["target"], chip, nonce))
    return found, strange


def _seconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1_000_000


class Ledger:
    """The file, once its process has gone."""

    def __init__(self, path: Path) -> None:
        self._sql = sqlite3.connect(path)
        self._sql.row_factory = sqlite3.Row

    def _rows(self, query: str) -> list[Any]:
        return self._sql.execute(query).fetchall()

    def assignments(self) -> list[Assignment]:
        """Those that were opened; a pending row that was given up was nobody's."""
        rows = self._rows("SELECT * FROM assignments WHERE opened_at IS NOT NULL ORDER BY id")
        return [Assignment(row["id"], row["chip_id"], row["wire_session"],
                           frozenset(exit_ip for exit_ip in (row["exit_v4"], row["exit_v6"]) if exit_ip),
                           row["opened_at"] / 1_000_000, _seconds(row["closing_at"]), _seconds(row["released_at"]))
                for row in rows]

    def identifiers(self) -> list[Identifier]:
        return [Identifier(row["wire"], row["chip_id"], row["issued_at"] / 1_000_000)
                for row in self._rows("SELECT * FROM identifiers")]

    def denied(self) -> int:
        return int(self._rows("SELECT count(*) AS n FROM denied_exits")[0]["n"])

    def reasons(self) -> dict[str, int]:
        return {row["release_reason"]: row["n"] for row in self._rows(
            "SELECT release_reason, count(*) AS n FROM assignments WHERE state = 'closed' GROUP BY 1 ORDER BY 2 DESC")}

    def integrity(self) -> str:
        return str(self._rows("PRAGMA integrity_check")[0][0])

    def close(self) -> None:
        self._sql.close()
