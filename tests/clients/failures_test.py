#!/usr/bin/env python3
"""The failure matrix judges by what its page says."""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import failures
from failures import COLUMNS, GAVE_UP, HANGS, SERVED, Outcome


class Judging(unittest.TestCase):
    """The page is worth something only if a worse cell is found."""

    baileys, browser = COLUMNS[0], COLUMNS[4]

    def test_a_cell_is_read_as_it_was_written(self) -> None:
        for outcome in (Outcome("408", 2), Outcome("exit 56 (502)", 5), Outcome(SERVED, 20)):
            self.assertEqual(Outcome.read(outcome.written()), outcome)
        self.assertEqual(Outcome.read(Outcome(HANGS, 100).written()).said, HANGS)

    def test_a_worse_outcome_or_a_slower_one_is_complained_of(self) -> None:
        was = Outcome.read("408 ≤ 2 s")
        for now in (Outcome("500", 1), Outcome(HANGS, 100), Outcome("408", 12), Outcome("None", 1)):
            self.assertIsNotNone(failures.complaint(self.baileys, was, now), now)
        for now in (Outcome("428", 1), Outcome("408", 3), Outcome(SERVED, 1)):
            self.assertIsNone(failures.complaint(self.baileys, was, now), now)
        self.assertIsNotNone(failures.complaint(self.browser, Outcome.read("ERR ≤ 20 s"), Outcome(GAVE_UP, 20)))

    def test_the_page_keeps_what_a_busy_machine_delayed(self) -> None:
        quick, slow = Outcome.read("408 ≤ 2 s"), Outcome.read("408 ≤ 5 s")
        self.assertEqual(failures.settled(quick, Outcome("408", 4)), quick)
        self.assertEqual(failures.settled(slow, Outcome("408", 1)).written(), "408 ≤ 2 s")
        self.assertEqual(failures.settled(quick, Outcome("408", 9)).written(), "408 ≤ 16 s")
        self.assertEqual(failures.settled(quick, Outcome("428", 4)).written(), "428 ≤ 5 s")

    def test_what_baileys_may_never_be_told_is_a_broken_promise(self) -> None:
        row = next(row for row in failures.ROWS if row.name == "CONNECT: reset")
        for now in (Outcome("500", 1), Outcome("401", 1), Outcome(HANGS, 100), Outcome("408", 20.1), Outcome(SERVED, 1)):
            self.assertIsNotNone(failures.broken_promise(row, self.baileys, now), now)
        self.assertIsNone(failures.broken_promise(row, self.baileys, Outcome("408", 19.9)))

    def test_only_a_black_hole_after_the_first_reply_may_last_until_baileys_asks_itself(self) -> None:
        longer = {row.name for row in failures.ROWS if row.seconds > failures.PROMISED_SECONDS}
        self.assertEqual(longer, {"tunnel: black hole in its TLS handshake", "talking: black hole"})

    def test_the_page_promises_what_is_judged(self) -> None:
        with tempfile.NamedTemporaryFile("r") as written:
            failures.write(failures.read(), Path(written.name))
            self.assertEqual(written.read(), failures.PAGE.read_text(), "CHIPGATE_WRITE_MATRIX=1 writes it")
        rows, columns = {row.name: row for row in failures.ROWS}, {column.name: column for column in COLUMNS}
        for (_, name, column), outcome in failures.read().items():
            with self.subTest(row=name, column=column):
                self.assertIsNone(failures.broken_promise(rows[name], columns[column], outcome))

    def test_who_is_to_be_served_must_be(self) -> None:
        row = next(row for row in failures.ROWS if row.served)
        self.assertIsNotNone(failures.broken_promise(row, self.browser, Outcome("ERR", 1)))
        self.assertIsNone(failures.broken_promise(row, self.browser, Outcome(SERVED, 1)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
