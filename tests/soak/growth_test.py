#!/usr/bin/env python3
"""The soak finds what grows, and nothing where nothing does."""

from __future__ import annotations

import sys
import unittest
from typing import Callable

sys.dont_write_bytecode = True
from soak import ODD_FOR_SECONDS, Sample, growth

MEGABYTE = 1 << 20


def lived(memory: Callable[[int], int] = lambda _: 40 * MEGABYTE, descriptors: Callable[[int], int] = lambda _: 200,
          odd: Callable[[int], dict[str, str]] = lambda _: {}) -> list[Sample]:
    """Ten minutes, a sample every two seconds; each figure by the number of the sample."""
    return [Sample(2.0 * number, memory(number), descriptors(number), odd(number)) for number in range(300)]


class Growth(unittest.TestCase):
    def test_a_steady_life_grew_in_nothing(self) -> None:
        self.assertEqual(growth(lived()), [])

    def test_what_is_gained_in_the_first_third_and_what_comes_and_goes_is_no_growth(self) -> None:
        self.assertEqual(growth(lived(memory=lambda number: (10 + min(number, 90)) * MEGABYTE)), [])
        self.assertEqual(growth(lived(descriptors=lambda number: 200 + number % 20 * 30)), [])

    def test_memory_that_leaks_a_little_at_a_time_is_found(self) -> None:
        found, = growth(lived(memory=lambda number: 40 * MEGABYTE + number * 200_000))
        self.assertRegex(found, r"^memory grew from \d+ to \d+$")

    def test_a_descriptor_that_is_forgotten_every_few_seconds_is_found(self) -> None:
        found, = growth(lived(descriptors=lambda number: 200 + number))
        self.assertRegex(found, r"^descriptors grew from \d+ to \d+$")

    def test_a_socket_that_stays_in_an_odd_state_is_found_and_those_that_pass_are_not(self) -> None:
        stuck = lambda number: {"a b 1": "CLOSE_WAIT"} if number > 100 else {}  # noqa: E731
        self.assertRegex(growth(lived(odd=stuck))[0], r"^a socket in CLOSE_WAIT for \d+ s$")
        # The same ends with another socket every minute, and one that is seen again after it was gone.
        self.assertEqual(growth(lived(odd=lambda number: {f"a b {number // 30}": "FIN_WAIT2"})), [])
        brief = int(ODD_FOR_SECONDS // 2) - 5
        self.assertEqual(growth(lived(odd=lambda number: {"a b 1": "LAST_ACK"} if number % (brief + 1) else {})), [])


if __name__ == "__main__":
    unittest.main()
