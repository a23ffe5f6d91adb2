#!/usr/bin/env python3
"""The judge sees every kind of violation, and nothing where there is none."""

from __future__ import annotations

import dataclasses
import sys
import unittest

sys.dont_write_bytecode = True
import judge  # noqa: E402
from evidence import Assignment, Attempt, Death, Disturbed, Evidence, Heard, Identifier, Terms, Wait  # noqa: E402

ONE, TWO, THREE = "127.20.0.1", "127.20.0.2", "127.20.0.3"
TERMS = Terms(bound=5.0, assignments_per_chip=1, quarantine=1.0)


def row(number: int, chip: str, exit_ip: str, opened: float, released: float | None = None,
        session: str | None = None) -> Assignment:
    return Assignment(number, chip, session or f"chip-{chip}-{number}", frozenset({exit_ip}), opened, released, released)


def sent(by: Assignment, at: float, source: str | None = None, chip: str | None = None) -> Heard:
    return Heard(at, source or next(iter(by.exits)), by.session, "clients.sim:7", chip or by.chip)


def look(session: str, at: float, source: str = ONE) -> Heard:
    return Heard(at, source, session, "looks.sim:80", None)


def evidence(rows: list[Assignment], heard: list[Heard], **more: list) -> Evidence:
    """With everything else as it should be."""
    chips = sorted({one.chip for one in rows})
    issued = [Identifier(one.session, one.chip, one.opened - 1) for one in {one.session: one for one in rows}.values()]
    attempts = [Attempt(one.chip, one.opened, True) for one in rows]
    return Evidence(heard=heard, assignments=rows, pool=80, chips=chips,
                    **{"identifiers": issued, "attempts": attempts, **more})


class Judge(unittest.TestCase):
    def kinds(self, given: Evidence, terms: Terms = TERMS) -> set[str]:
        return {one.kind for one in judge.judge(given, terms)}

    def assert_fine(self, given: Evidence, terms: Terms = TERMS) -> None:
        self.assertEqual(judge.judge(given, terms), [])

    def test_a_life_as_it_should_be_is_none(self) -> None:
        first, second = row(1, "a", ONE, 10, 20), row(2, "a", TWO, 21)
        other = row(3, "b", ONE, 22)
        self.assert_fine(evidence([first, second, other],
                                  [look(first.session, 9.5), sent(first, 10), sent(first, 19.9), sent(second, 21.5),
                                   sent(other, 22.5), look(other.session, 30)]))

    def test_two_chips_that_overlap_on_an_address(self) -> None:
        one, other = row(1, "a", ONE, 10, 20), row(2, "b", ONE, 15)
        self.assertEqual(self.kinds(evidence([one, other], [sent(one, 11), sent(other, 25)])), {judge.SHARED})

    def test_the_overlap_counts_where_a_third_stands_between(self) -> None:
        rows = [row(1, "a", ONE, 10, 100), row(2, "a", ONE, 20, 30), row(3, "b", ONE, 40)]
        self.assertIn(judge.SHARED, self.kinds(evidence(rows, [sent(one, one.opened) for one in rows])))

    def test_an_address_that_goes_from_one_chip_to_the_next_is_fine(self) -> None:
        one, other = row(1, "a", ONE, 10, 20), row(2, "b", ONE, 20)
        self.assert_fine(evidence([one, other], [sent(one, 20.1), sent(other, 20.2)]))

    def test_two_chips_on_an_address_of_neither(self) -> None:
        one, other = row(1, "a", ONE, 10), row(2, "b", TWO, 10)
        self.assertEqual(self.kinds(evidence([one, other], [sent(one, 11, THREE), sent(other, 11, THREE)])),
                         {judge.SHARED, judge.MOVED})

    def test_a_chip_on_another_address_than_its_own(self) -> None:
        one = row(1, "a", ONE, 10)
        self.assertEqual(self.kinds(evidence([one], [sent(one, 11), sent(one, 12, TWO)])), {judge.MOVED})

    def test_a_move_is_excused_as_long_as_the_bound_and_no_longer(self) -> None:
        one = row(1, "a", ONE, 10)
        moved = [Disturbed(20, one.session)]
        self.assert_fine(evidence([one], [sent(one, 25, TWO)], disturbed=moved))
        self.assertEqual(self.kinds(evidence([one], [sent(one, 25.1, TWO)], disturbed=moved)), {judge.MOVED})
        self.assertEqual(self.kinds(evidence([one], [sent(one, 19.9, TWO)], disturbed=moved)), {judge.MOVED})
        strictly = dataclasses.replace(TERMS, bound=0.0)
        self.assertEqual(self.kinds(evidence([one], [sent(one, 20.1, TWO)], disturbed=moved), strictly), {judge.MOVED})

    def test_the_move_of_one_session_excuses_no_other(self) -> None:
        one, other = row(1, "a", ONE, 10), row(2, "b", TWO, 10)
        given = evidence([one, other], [sent(other, 21, ONE)], disturbed=[Disturbed(20, one.session)])
        self.assertEqual(self.kinds(given), {judge.MOVED})

    def test_the_address_that_a_moved_chip_has_left_is_still_its_own(self) -> None:
        one, other = row(1, "a", ONE, 10), row(2, "b", ONE, 30)
        given = evidence([one, other], [sent(one, 11), sent(other, 31)], disturbed=[Disturbed(20, one.session)])
        self.assertEqual(self.kinds(given), {judge.SHARED})

    def test_bytes_before_an_assignment(self) -> None:
        one = row(1, "a", ONE, 10)
        self.assertEqual(self.kinds(evidence([one], [sent(one, 9.9)])), {judge.OUTSIDE})

    def test_bytes_after_an_assignment_but_for_those_that_were_on_their_way(self) -> None:
        one = row(1, "a", ONE, 10, 20)
        self.assert_fine(evidence([one], [sent(one, 20.19)]))
        self.assertEqual(self.kinds(evidence([one], [sent(one, 20.21)])), {judge.OUTSIDE, judge.REUSED})

    def test_bytes_under_a_session_that_was_only_tried(self) -> None:
        one = row(1, "a", ONE, 10)
        tried = Heard(11, TWO, "chip-a-7", "clients.sim:7", "a")
        issued = [Identifier(one.session, "a", 9), Identifier("chip-a-7", "a", 9)]
        self.assertEqual(self.kinds(evidence([one], [tried], identifiers=issued)), {judge.OUTSIDE})

    def test_two_rows_with_one_session(self) -> None:
        rows = [row(1, "a", ONE, 10, 20, "same"), row(2, "a", TWO, 30, None, "same")]
        self.assertEqual(self.kinds(evidence(rows, [])), {judge.REUSED})

    def test_an_identifier_that_was_issued_twice(self) -> None:
        one = row(1, "a", ONE, 10)
        issued = [Identifier(one.session, "a", 8), Identifier(one.session, "a", 9)]
        self.assertEqual(self.kinds(evidence([one], [], identifiers=issued)), {judge.REUSED})

    def test_a_session_that_another_chip_uses(self) -> None:
        one, other = row(1, "a", ONE, 10), row(2, "b", TWO, 10)
        self.assertEqual(self.kinds(evidence([one, other], [sent(one, 11, chip="b")])), {judge.REUSED})

    def test_a_look_through_a_session_that_is_over(self) -> None:
        one = row(1, "a", ONE, 10, 20)
        self.assertEqual(self.kinds(evidence([one], [look(one.session, 25)])), {judge.REUSED})

    def test_a_session_that_leaves_before_the_ledger_has_it(self) -> None:
        one = row(1, "a", ONE, 10)
        early = evidence([one], [look(one.session, 8.9)])
        self.assertEqual(self.kinds(early), {judge.UNISSUED})
        self.assertEqual(self.kinds(evidence([one], [look("chip-a-9", 11)])), {judge.UNISSUED})

    def test_bytes_from_the_hosts_own_address(self) -> None:
        one = row(1, "a", ONE, 10)
        given = evidence([one], [Heard(11, "127.0.0.1", "", "direct", "a")])
        self.assertIn(judge.DIRECT, self.kinds(given))

    def test_an_exit_that_rotates(self) -> None:
        one = row(1, "a", ONE, 10)
        given = evidence([one], [Heard(11, TWO, "", "clients.sim:7", None)])
        self.assertEqual(self.kinds(given), {judge.NAMELESS})


class Liveness(unittest.TestCase):
    def kinds(self, given: Evidence, terms: Terms = TERMS) -> set[str]:
        return {one.kind for one in judge.judge(given, terms)}

    def test_nine_of_ten_attempts_under_an_assignment_must_succeed(self) -> None:
        one = row(1, "a", ONE, 10)
        enough = [Attempt("a", 11, index > 0) for index in range(10)]
        self.assertEqual(self.kinds(evidence([one], [], attempts=enough)), set())
        self.assertEqual(self.kinds(evidence([one], [], attempts=enough + [Attempt("a", 12, False)])), {judge.UNSERVED})

    def test_attempts_without_an_assignment_do_not_count(self) -> None:
        one = row(1, "a", ONE, 10, 20)
        attempts = [Attempt("a", 11, True), Attempt("a", 9, False), Attempt("a", 21, False)]
        self.assertEqual(judge.served(evidence([one], [], attempts=attempts)), (1, 1))

    def test_attempts_that_a_kill_struck_do_not_count(self) -> None:
        one = row(1, "a", ONE, 10)
        attempts = [Attempt("a", 11, True), Attempt("a", 19.5, False, seconds=1), Attempt("a", 21, False)]
        given = evidence([one], [], attempts=attempts, deaths=[Death(20, 22)])
        self.assertEqual(judge.served(given), (1, 1))
        given.deaths = [Death(20.6, 20.9)]
        self.assertEqual(judge.served(given), (1, 3))

    def test_a_client_that_is_closed_without_a_word_is_no_small_thing(self) -> None:
        one = row(1, "a", ONE, 10, 20)
        attempts = [Attempt("a", 11, True), Attempt("a", 30, False, seconds=1, mute=True)]
        given = evidence([one], [], attempts=attempts)
        self.assertEqual(self.kinds(given), {judge.MUTE})
        given.deaths = [Death(30.5, 32)]
        self.assertEqual(self.kinds(given), set())

    def test_a_run_without_a_single_attempt_shows_nothing(self) -> None:
        self.assertEqual(self.kinds(evidence([row(1, "a", ONE, 10)], [], attempts=[])), {judge.UNSERVED})

    def test_every_chip_has_had_enough_assignments(self) -> None:
        terms = dataclasses.replace(TERMS, assignments_per_chip=2)
        rows = [row(1, "a", ONE, 10, 20), row(2, "a", TWO, 21), row(3, "b", THREE, 10)]
        self.assertEqual([one.what for one in judge.judge(evidence(rows, []), terms)], ["b had 1"])

    def test_a_chip_that_is_stuck_although_there_is_an_address(self) -> None:
        one = row(1, "a", ONE, 10, 20)
        self.assertEqual(self.kinds(evidence([one], [], waits=[Wait("a", 20, 49)])), set())
        self.assertEqual(self.kinds(evidence([one], [], waits=[Wait("a", 20, 51)])), {judge.STUCK})

    def test_a_chip_that_waits_for_a_free_address_is_not_stuck(self) -> None:
        holder, waiting = row(1, "b", ONE, 0), row(2, "a", TWO, 10, 20)
        given = evidence([holder, waiting], [], waits=[Wait("a", 20, 60)])
        given.pool = 1
        self.assertEqual(self.kinds(given), set())
        given.pool = 2
        self.assertEqual(self.kinds(given), {judge.STUCK})
        given.denied = 1
        self.assertEqual(self.kinds(given), set())

    def test_how_long_a_move_was_not_seen_is_told(self) -> None:
        one = row(1, "a", ONE, 10)
        given = evidence([one], [sent(one, 21, TWO), sent(one, 22.5, TWO), sent(one, 30, ONE)],
                         disturbed=[Disturbed(20, one.session), Disturbed(29, one.session)])
        self.assertEqual(judge.exposure(given), judge.Exposure(2, [2.5]))


if __name__ == "__main__":
    unittest.main()
