#!/usr/bin/env python3
"""What the judge is given is what was written."""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import records  # noqa: E402
from evidence import NAMELESS, Assignment, Heard, Identifier  # noqa: E402


def entry(payload: bytes, event: str = "in", target: str = "clients.sim:7") -> str:
    return json.dumps({"seq": 1, "ms": 12_345, "event": event, "source": "127.20.0.1", "target": target, "session": "s",
                       "connection": 1, "bytes": len(payload), "payload": payload.hex()}) + "\n"


class Records(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="chipgate-test-")
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "file")

    def heard(self, *lines: str) -> tuple[list[Heard], list[str]]:
        self.path.write_text("".join(lines))
        found, strange = records.heard(self.path, {"look.sim:80"})
        return found, [one.kind for one in strange]

    def test_bytes_say_whose_they_are_by_either_way(self) -> None:
        found, strange = self.heard(entry(b"c07 0badcafe\n"), entry(b"GET /c12/00000001 HTTP/1.1\r\nHost: clients.sim\r\n"))
        self.assertEqual([(one.chip, one.nonce) for one in found], [("c07", "0badcafe"), ("c12", "00000001")])
        self.assertEqual(found[0], Heard(12.345, "127.20.0.1", "s", "clients.sim:7", "c07", "0badcafe"))
        self.assertEqual(strange, [])

    def test_looks_have_no_chip_and_other_bytes_are_strange(self) -> None:
        found, strange = self.heard(entry(b"GET / HTTP/1.1\r\n", target="look.sim:80"), entry(b"GET / HTTP/1.1\r\n"))
        self.assertEqual([one.chip for one in found], [None, None])
        self.assertEqual(strange, [NAMELESS])

    def test_only_what_came_in_counts(self) -> None:
        self.assertEqual(self.heard(entry(b"c07 0badcafe\n", "out"), entry(b"", "opened"), entry(b"", "closed")), ([], []))

    def test_the_ledgers_rows_are_read_with_their_times(self) -> None:
        sql = sqlite3.connect(self.path)
        sql.executescript("""
            CREATE TABLE assignments (id, chip_id, wire_session, exit_v4, exit_v6, opened_at, closing_at, released_at,
                                      state, release_reason);
            INSERT INTO assignments VALUES (1, 'a', 's', '127.20.0.1', NULL, 1500000, 2000000, 2500000, 'closed', 'x');
            INSERT INTO assignments VALUES (2, 'a', 't', '127.20.0.2', '::1', 3000000, NULL, NULL, 'open', '');
            INSERT INTO assignments VALUES (3, 'b', 'u', '127.20.0.3', NULL, NULL, NULL, 4000000, 'closed', 'abandoned');
            CREATE TABLE identifiers (wire, chip_id, issued_at);
            INSERT INTO identifiers VALUES ('s', 'a', 1000000);
            CREATE TABLE denied_exits (address);
        """)
        sql.close()
        ledger = records.Ledger(self.path)
        self.addCleanup(ledger.close)
        self.assertEqual(ledger.assignments(), [
            Assignment(1, "a", "s", frozenset({"127.20.0.1"}), 1.5, 2.0, 2.5),
            Assignment(2, "a", "t", frozenset({"127.20.0.2", "::1"}), 3.0, None, None)])
        self.assertEqual(ledger.identifiers(), [Identifier("s", "a", 1.0)])
        self.assertEqual((ledger.denied(), ledger.integrity()), (0, "ok"))
        self.assertEqual(ledger.reasons(), {"x": 1, "abandoned": 1})


if __name__ == "__main__":
    unittest.main()
