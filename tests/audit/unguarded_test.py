#!/usr/bin/env python3
"""The audit sees what it is there to see: every protection left out shows as its kind of violation, and as nothing
where it stands. And the chipgate that is shipped has no way to leave one out."""

from __future__ import annotations

import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import audit  # noqa: E402
import judge  # noqa: E402
from world import Plan, stack  # noqa: E402

PROGRAM = "chipgate-unguarded"
# The switch by its name, and functions that stand where it is asked for.
WORDS = (b"CHIPGATE_UNGUARDED", b"guarded_lease", b"fence_or_not", b"first_or_own", b"connect_past_the_gateway")
LIVES = 4
# Few chips, and a pool so small that they meet.
SMALL = Plan(seed=3, chips=8, pool=12, steps=150, kills=0, storms=0, program=PROGRAM)


class Unguarded(unittest.TestCase):
    def kinds(self, **changed: object) -> set[str]:
        """Of the promise, not of how well clients fare: whoever leaves out a protection may serve nobody."""
        folder = Path(tempfile.mkdtemp(prefix="chipgate-audit-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        result = audit.run(Plan(**{**vars(SMALL), **changed}), folder)
        return result.kinds() - {judge.UNSERVED, judge.IDLE, judge.STUCK, judge.MUTE}

    def assert_caught(self, kind: str, **changed: object) -> None:
        """Where it is left out, in one of several lives: what a random life brings about is not always there."""
        found: set[str] = set()
        for seed in range(SMALL.seed, SMALL.seed + LIVES):
            found = self.kinds(seed=seed, **changed)
            if kind in found:
                return
        self.fail(f"{kind}: not in {LIVES} lives; the last one showed {found}")

    def test_with_all_protections_there_is_nothing_to_see(self) -> None:
        self.assertEqual(self.kinds(), set())

    def test_without_leases_chips_share_addresses(self) -> None:
        self.assert_caught(judge.SHARED, without="lease")

    def test_without_looks_a_chip_leaves_by_two_addresses(self) -> None:
        # Looks are quick, so that a move counts soon; and assignments last longer than that.
        slow = {"interval": 0.2, "look_timeout": 0.3, "chips": 16, "pool": 24, "workers": 1, "steps": 200}
        self.assert_caught(judge.MOVED, without="looks", **slow)
        self.assertEqual(self.kinds(**slow), set())

    def test_without_a_word_from_replies_a_move_is_seen_too_late(self) -> None:
        self.assert_caught(judge.MOVED, without="replies", reply_headers=True)
        self.assertEqual(self.kinds(reply_headers=True), set())

    def test_without_fences_bytes_outlive_their_assignment(self) -> None:
        self.assert_caught(judge.OUTSIDE, without="fence")

    def test_without_new_sessions_one_is_used_twice(self) -> None:
        self.assert_caught(judge.REUSED, without="sessions")

    def test_without_the_gateway_the_host_shows_its_own_address(self) -> None:
        self.assert_caught(judge.DIRECT, without="gateway")


class Shipped(unittest.TestCase):
    """Symbols and strings alike are bytes of the file."""

    def test_the_shipped_program_has_no_such_switch(self) -> None:
        shipped = (stack.BUILD / "chipgate").read_bytes()
        for word in WORDS:
            self.assertNotIn(word, shipped)

    def test_the_tests_own_program_has_it(self) -> None:
        own = (stack.BUILD / PROGRAM).read_bytes()
        for word in WORDS:
            self.assertIn(word, own)


if __name__ == "__main__":
    unittest.main()
